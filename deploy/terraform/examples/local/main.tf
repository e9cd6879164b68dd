# Three brokers and a controller on this machine, over an object store in a directory.
#
#   mvn -Dquick -DskipTests package -pl cache,tiering,replay,broker,tools,deploy/distribution
#   mkdir -p /tmp/strandline && tar -xzf target/strandline-*.tar.gz -C /tmp/strandline --strip-components=1
#   terraform init && terraform apply -var distribution=/tmp/strandline -var directory=/tmp/strandline-cluster
#   terraform destroy -var …
terraform {
  required_version = ">= 1.9"
}

variable "distribution" {
  description = "Where the distribution was unpacked."
  type        = string
}

variable "directory" {
  description = "Where the cluster lies."
  type        = string
}

variable "first_port" {
  description = "See the module."
  type        = number
  default     = 19092
}

variable "settings" {
  description = "See the module."
  type        = map(string)
  default     = {}
}

variable "keep_data" {
  description = "See the module."
  type        = bool
  default     = true
}

module "cluster" {
  source = "../../modules/local"

  distribution = var.distribution
  directory    = var.directory
  first_port   = var.first_port
  brokers      = 3
  controllers  = 1
  settings     = var.settings
  keep_data    = var.keep_data
}

output "bootstrap_servers" {
  description = "For clients."
  value       = module.cluster.bootstrap_servers
}

output "admin" {
  description = "Of each node, by id."
  value       = module.cluster.admin
}
