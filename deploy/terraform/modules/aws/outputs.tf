output "bootstrap_servers" {
  description = "For clients."
  value       = "${var.dns == null ? aws_lb.bootstrap.dns_name : "bootstrap.${var.dns.domain}"}:${local.ports.clients}"
}

output "replay_bootstrap_servers" {
  description = "For clients that read history from replay brokers; empty if there are none and never will be."
  value       = max(var.replay.count, var.replay.max) == 0 ? "" : "${var.dns == null ? aws_lb.bootstrap.dns_name : "replay.${var.dns.domain}"}:${local.ports.replay}"
}

output "cluster_id" {
  description = "Id of the cluster."
  value       = local.cluster_id
}

output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.history.bucket
}

output "object_store" {
  description = "strandline.object.store, for strandline tier and a restore."
  value       = local.object_store
}

output "controllers" {
  description = "Addresses of the controllers, by node id."
  value       = local.addresses
}

output "broker_groups" {
  description = "Auto Scaling groups of the brokers, by node id: terminate the instance of one, and it is replaced."
  value       = { for id, group in aws_autoscaling_group.broker : id => group.name }
}

output "replay_group" {
  description = "Auto Scaling group of the replay brokers."
  value       = aws_autoscaling_group.replay.name
}

output "vpc_id" {
  description = "Where the cluster is."
  value       = local.vpc_id
}

output "route_table_id" {
  description = "Of the cluster's own VPC, for routes to peers; null in a given one."
  value       = one(aws_route_table.own[*].id)
}

output "security_group_id" {
  description = "Of all nodes."
  value       = aws_security_group.nodes.id
}

output "role_arns" {
  description = "Of the nodes, by kind: for a key's policy, for one."
  value       = { for kind, role in aws_iam_role.node : kind => role.arn }
}
