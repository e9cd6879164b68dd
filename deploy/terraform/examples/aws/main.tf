# A cluster in a VPC of its own: three brokers, three controllers, two replay brokers on spot instances.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
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

  brokers = { count = 3, instance_type = "i4g.large" }
  replay  = { count = 2, instance_types = ["i4g.large", "i4g.xlarge", "im4gn.large"], spot = true }
  alarms  = { topic_arns = var.alarm_topic_arns }
}

output "bootstrap_servers" {
  description = "For clients."
  value       = module.strandline.bootstrap_servers
}

output "replay_bootstrap_servers" {
  description = "For clients that read history."
  value       = module.strandline.replay_bootstrap_servers
}
