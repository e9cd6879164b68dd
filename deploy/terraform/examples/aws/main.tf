# A cluster in a VPC of its own: three brokers, three controllers, two replay brokers on spot instances.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.10"
    }
  }
}

variable "distribution" {
  description = "Where strandline-VERSION.tar.gz was put, s3://bucket/key, and its SHA-256."
  type = object({
    url    = string
    sha256 = string
  })
}

variable "client_cidrs" {
  description = "Networks whose clients may come, [\"10.0.0.0/16\"] for example. The way from there into the VPC is the operator's (output route_table_id)."
  type        = list(string)

  validation {
    condition     = length(var.client_cidrs) > 0
    error_message = "Without one no client reaches the cluster."
  }
}

variable "alarm_topic_arns" {
  description = "Who hears of alarms."
  type        = list(string)
  default     = []
}

provider "aws" {
  region = "eu-central-1"
}

module "strandline" {
  source = "../../modules/aws"

  name         = "orders"
  zones        = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  distribution = var.distribution
  client_cidrs = var.client_cidrs

  brokers = { count = 3, instance_type = "i4g.large" }
  replay  = { count = 2, instance_types = ["i4g.large", "i4g.xlarge", "im4gn.xlarge"], spot = true }
  alarms  = { topic_arns = var.alarm_topic_arns }
}

output "bootstrap_servers" {
  description = "For clients."
  value       = module.strandline.bootstrap_servers
}

output "route_table_id" {
  description = "For routes to where the clients are."
  value       = module.strandline.route_table_id
}

output "replay_bootstrap_servers" {
  description = "For clients that read history."
  value       = module.strandline.replay_bootstrap_servers
}
