output "bootstrap_servers" {
  description = "For clients."
  value       = join(",", [for port in values(local.brokers) : "127.0.0.1:${port}"])
  depends_on  = [terraform_data.ready]
}

output "cluster_id" {
  description = "Id of the cluster."
  value       = local.cluster_id
}

output "object_store" {
  description = "What strandline.object.store is."
  value       = local.store
}

output "admin" {
  description = "Where each node has /metrics, /healthz and /readyz, by id."
  value       = { for id, port in local.ports : id => "http://127.0.0.1:${port + 1}" }
  depends_on  = [terraform_data.ready]
}

output "logs" {
  description = "What each node says, by id."
  value       = { for id in keys(local.ports) : id => "${var.directory}/node-${id}/node.log" }
}
