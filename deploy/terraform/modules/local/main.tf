locals {
  # 16 characters of base64 are the 22 of an id; those of a hash have no dash and no plus in them.
  cluster_id = coalesce(var.cluster_id, replace(base64encode(substr(md5(var.directory), 0, 16)), "=", ""))
  store      = coalesce(var.object_store, "file:${var.directory}/objects")
  replicas   = min(3, var.brokers)
  in_sync    = max(1, local.replicas - 1)

  brokers     = { for i in range(var.brokers) : tostring(i + 1) => var.first_port + 2 * i }
  controllers = { for i in range(var.controllers) : tostring(i + 101) => var.first_port + 20 + 2 * i }
  ports       = merge(local.brokers, local.controllers)
  metadata    = { for id in keys(local.controllers) : id => replace(base64encode(substr(md5("${local.cluster_id}/${id}"), 0, 16)), "=", "") }
  voters      = join(",", [for id, port in local.controllers : "${id}@127.0.0.1:${port}:${local.metadata[id]}"])

  common = {
    "controller.listener.names"           = "CONTROLLER"
    "listener.security.protocol.map"      = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    "controller.quorum.bootstrap.servers" = join(",", [for port in values(local.controllers) : "127.0.0.1:${port}"])
    "default.replication.factor"          = local.replicas
    "min.insync.replicas"                 = local.in_sync
  }
  of_brokers = {
    "process.roles"                                    = "broker"
    "strandline.object.store"                          = local.store
    "log.local.retention.ms"                           = 3600000
    "offsets.topic.replication.factor"                 = local.replicas
    "transaction.state.log.replication.factor"         = local.replicas
    "transaction.state.log.min.isr"                    = local.in_sync
    "share.coordinator.state.topic.replication.factor" = local.replicas
    "share.coordinator.state.topic.min.isr"            = local.in_sync
  }
  nodes = { for id, port in local.ports : id => merge(
    local.common,
    contains(keys(local.brokers), id) ? local.of_brokers : { "process.roles" = "controller" },
    {
      "node.id"                   = id
      "listeners"                 = "${contains(keys(local.brokers), id) ? "PLAINTEXT" : "CONTROLLER"}://127.0.0.1:${port}"
      "strandline.admin.listener" = "127.0.0.1:${port + 1}"
      "log.dirs"                  = "${var.directory}/node-${id}/data"
    },
    var.settings,
  ) }
  configs = { for id, settings in local.nodes : id => join("", [for key, value in settings : "${key}=${value}\n"]) }

  # What a node runs with. Another one is a reason to start it anew.
  wanted = { for id, config in local.configs : id => sha256(join("\n", [abspath(var.distribution), var.heap, config])) }

  # A node that runs as wanted has written down which start it is, and this is what a plan finds. One that is dead, or
  # runs otherwise, will be what only the apply knows: so it is planned to be started.
  runs = { for id in keys(local.nodes) : id =>
    strcontains(
      try(file("/proc/${trimspace(file("${var.directory}/node-${id}/pid"))}/cmdline"), ""),
      "${var.directory}/node-${id}/server.properties",
    ) && try(trimspace(file("${var.directory}/node-${id}/wanted")), "") == local.wanted[id] && fileexists("${var.directory}/node-${id}/start")
  }
  start = { for id, runs in local.runs : id => runs ? trimspace(file("${var.directory}/node-${id}/start")) : timestamp() }

  peers = {
    brokers     = join(" ", [for id, port in local.brokers : "${id}:${port + 1}"])
    controllers = join(" ", [for id, port in local.controllers : "${id}:${port + 1}"])
  }

  script = "${path.module}/node.sh"
  # Of each node: what its end has to know, for then there is nothing else.
  home = { for id, port in local.ports : id => {
    script    = abspath(local.script)
    directory = var.directory
    id        = id
    keep      = var.keep_data
  } }
}

# What outlives the nodes.
resource "terraform_data" "base" {
  input = {
    script    = abspath(local.script)
    directory = var.directory
    keep      = var.keep_data
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "bash \"$SCRIPT\" clear"
    environment = { SCRIPT = self.input.script, DIRECTORY = self.input.directory, KEEP = self.input.keep }
  }
}

# A controller's directory: formatted when it comes, stopped when it goes.
resource "terraform_data" "controller_home" {
  for_each   = local.controllers
  input      = local.home[each.key]
  depends_on = [terraform_data.base]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" format"
    environment = {
      SCRIPT       = local.script
      DISTRIBUTION = abspath(var.distribution)
      DIRECTORY    = var.directory
      ID           = each.key
      CONFIG       = local.configs[each.key]
      CLUSTER_ID   = local.cluster_id
      VOTERS       = local.voters
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "bash \"$SCRIPT\" remove"
    environment = {
      SCRIPT    = self.input.script
      DIRECTORY = self.input.directory
      ID        = self.input.id
      KEEP      = self.input.keep
    }
  }
}

resource "terraform_data" "controller" {
  for_each         = local.controllers
  triggers_replace = local.start[each.key]
  depends_on       = [terraform_data.controller_home]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" up"
    environment = {
      SCRIPT          = local.script
      DISTRIBUTION    = abspath(var.distribution)
      DIRECTORY       = var.directory
      ID              = each.key
      CONFIG          = local.configs[each.key]
      WANTED          = local.wanted[each.key]
      START           = self.triggers_replace
      STRANDLINE_HEAP = var.heap
      PEERS           = local.peers.controllers
    }
  }
}

# Controllers wait for each other, so they are waited for together.
resource "terraform_data" "quorum" {
  triggers_replace = [for controller in terraform_data.controller : controller.id]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" await"
    environment = {
      SCRIPT    = local.script
      DIRECTORY = var.directory
      PEERS     = local.peers.controllers
    }
  }
}

resource "terraform_data" "broker_home" {
  for_each   = local.brokers
  input      = local.home[each.key]
  depends_on = [terraform_data.quorum]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" format"
    environment = {
      SCRIPT       = local.script
      DISTRIBUTION = abspath(var.distribution)
      DIRECTORY    = var.directory
      ID           = each.key
      CONFIG       = local.configs[each.key]
      CLUSTER_ID   = local.cluster_id
      VOTERS       = ""
    }
  }

  # Before the controllers go: terraform destroys what depends on others first.
  provisioner "local-exec" {
    when    = destroy
    command = "bash \"$SCRIPT\" remove"
    environment = {
      SCRIPT    = self.input.script
      DIRECTORY = self.input.directory
      ID        = self.input.id
      KEEP      = self.input.keep
    }
  }
}

resource "terraform_data" "broker" {
  for_each         = local.brokers
  triggers_replace = local.start[each.key]
  depends_on       = [terraform_data.broker_home]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" up"
    environment = {
      SCRIPT          = local.script
      DISTRIBUTION    = abspath(var.distribution)
      DIRECTORY       = var.directory
      ID              = each.key
      CONFIG          = local.configs[each.key]
      WANTED          = local.wanted[each.key]
      START           = self.triggers_replace
      STRANDLINE_HEAP = var.heap
      PEERS           = local.peers.brokers
    }
  }
}

resource "terraform_data" "ready" {
  triggers_replace = [for broker in terraform_data.broker : broker.id]

  provisioner "local-exec" {
    command = "bash \"$SCRIPT\" await"
    environment = {
      SCRIPT    = local.script
      DIRECTORY = var.directory
      PEERS     = local.peers.brokers
    }
  }
}
