output "user_data" {
  description = "A script for root: what cloud-init runs at the first boot, or any other way of running it. Holds no secret."
  value       = local.user_data

  precondition {
    condition     = length(local.user_data) <= 16384
    error_message = "User data is longer than 16 KiB, the most that EC2 takes: fewer settings."
  }
}

output "settings" {
  description = "server.properties as the host gets it; @NODE_ID@, @ADDRESS@ and @RACK@ are put in there."
  value       = local.settings
}

output "environment" {
  description = "/etc/strandline/node.env."
  value       = local.environment
}

output "voters" {
  description = "The controllers as strandline format -I takes them."
  value       = local.voters
}

output "ports" {
  description = "Of the listeners."
  value       = local.ports
}
