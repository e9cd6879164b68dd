output "user_data" {
  description = "By node id: a script for cloud-init at the host's first boot, or for root at any time. Holds no secret."
  value       = { for id, node in module.node : id => node.user_data }
}

output "bootstrap_servers" {
  description = "For clients."
  value       = join(",", [for id, host in var.hosts : "${host.address}:9092" if host.role == "broker"])
}

output "replay_bootstrap_servers" {
  description = "For clients that read history from replay brokers; empty if there are none."
  value       = join(",", [for id, host in var.hosts : "${host.address}:9094" if host.role == "replay"])
}

output "settings" {
  description = "server.properties by node id."
  value       = { for id, node in module.node : id => node.settings }
}

output "object_store" {
  description = "strandline.object.store, for strandline tier and a restore."
  value       = local.store
}
