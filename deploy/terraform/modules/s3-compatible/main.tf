locals {
  prefix  = coalesce(var.object_store.prefix, var.name)
  options = merge({ region = var.object_store.region, endpoint = var.object_store.endpoint, pathStyle = tostring(var.object_store.path_style) }, var.object_store.options)
  store   = "s3://${var.object_store.bucket}/${local.prefix}?${join("&", [for key, value in local.options : "${key}=${value}"])}"
  # Where controllers write down that they were formatted once, beside the prefix.
  scheme = split("://", var.object_store.endpoint)[0]
  claims = join("/", concat(
    var.object_store.path_style ? [var.object_store.endpoint, var.object_store.bucket] : ["${local.scheme}://${var.object_store.bucket}.${split("://", var.object_store.endpoint)[1]}"],
    ["controllers", var.cluster_id],
  ))

  controllers = { for id, host in var.hosts : id => host.address if host.role == "controller" }
  memory = {
    controller = { heap = var.memory.controller.heap, cache_memory_bytes = 1048576, cache_disk_bytes = 0 }
    broker     = var.memory.broker
    replay     = var.memory.replay
  }
}

module "node" {
  source   = "../node"
  for_each = var.hosts

  cluster            = var.name
  cluster_id         = var.cluster_id
  role               = each.value.role
  node_id            = each.key
  address            = each.value.address
  rack               = each.value.rack
  disk               = each.value.disk
  region             = var.object_store.region
  distribution       = var.distribution
  controllers        = local.controllers
  object_store       = local.store
  claims_url         = local.claims
  credentials_file   = var.credentials_file
  packages           = var.packages
  settings           = var.settings[each.value.role]
  heap               = local.memory[each.value.role].heap
  cache_memory_bytes = local.memory[each.value.role].cache_memory_bytes
  cache_disk_bytes   = local.memory[each.value.role].cache_disk_bytes
}
