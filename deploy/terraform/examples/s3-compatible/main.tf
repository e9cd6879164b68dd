# Seven hosts over MinIO. Each script goes to its host as user data of whatever makes hosts here (an image's cloud-init
# seed, OpenStack, Proxmox, …), or is run there by root.
#
#   terraform init && terraform apply
#   terraform output -json user_data | jq -r '."1"' > node-1.sh
terraform {
  required_version = ">= 1.9"
}

variable "distribution" {
  description = "Where hosts fetch strandline-VERSION.tar.gz from, and its SHA-256."
  type = object({
    url    = string
    sha256 = string
  })
}

module "strandline" {
  source = "../../modules/s3-compatible"

  name       = "orders"
  cluster_id = "mXw0ZkqYRZ2sT4b8pJcE1A"

  hosts = {
    "1"    = { role = "broker", address = "10.1.0.11", rack = "a", disk = "/dev/nvme0n1" }
    "2"    = { role = "broker", address = "10.1.1.11", rack = "b", disk = "/dev/nvme0n1" }
    "3"    = { role = "broker", address = "10.1.2.11", rack = "c", disk = "/dev/nvme0n1" }
    "101"  = { role = "controller", address = "10.1.0.21", rack = "a" }
    "102"  = { role = "controller", address = "10.1.1.21", rack = "b" }
    "103"  = { role = "controller", address = "10.1.2.21", rack = "c" }
    "1001" = { role = "replay", address = "10.1.0.31", rack = "a", disk = "/dev/nvme0n1" }
  }

  object_store = {
    endpoint = "https://minio.internal:9000"
    bucket   = "strandline"
  }

  distribution = var.distribution
}

output "user_data" {
  description = "By node id."
  value       = module.strandline.user_data
}

output "bootstrap_servers" {
  description = "For clients."
  value       = module.strandline.bootstrap_servers
}
