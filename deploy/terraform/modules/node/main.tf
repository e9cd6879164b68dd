locals {
  ports = { internal = 9091, clients = 9092, controller = 9093, replay = 9094, admin = 9644 }

  # 16 characters of base64 are the 22 of an id; those of a hash have no dash and no plus in them.
  metadata = { for id in keys(var.controllers) : id => replace(base64encode(substr(md5("${var.cluster_id}/${id}"), 0, 16)), "=", "") }
  voters   = join(",", [for id, host in var.controllers : "${id}@${host}:${local.ports.controller}:${local.metadata[id]}"])

  common = {
    "node.id"                             = "@NODE_ID@"
    "controller.listener.names"           = "CONTROLLER"
    "controller.quorum.bootstrap.servers" = join(",", [for host in values(var.controllers) : "${host}:${local.ports.controller}"])
    "listener.security.protocol.map"      = "INTERNAL:PLAINTEXT,CLIENTS:PLAINTEXT,REPLAY:PLAINTEXT,CONTROLLER:PLAINTEXT"
    "log.dirs"                            = "/var/lib/strandline/data"
    "strandline.admin.listener"           = "0.0.0.0:${local.ports.admin}"
    "strandline.log.format"               = "json"
    "default.replication.factor"          = 3
    "min.insync.replicas"                 = 2
  }
  data = {
    "process.roles"                 = "broker"
    "broker.rack"                   = "@RACK@"
    "inter.broker.listener.name"    = "INTERNAL"
    "strandline.object.store"       = var.object_store
    "strandline.cache.memory.bytes" = var.cache_memory_bytes
    "strandline.cache.disk.bytes"   = var.cache_disk_bytes
  }
  of_role = {
    controller = {
      "process.roles"                      = "controller"
      "controller.quorum.auto.join.enable" = true
      # Not bound to the name: a host's own name often leads to its loopback address.
      "listeners"            = "CONTROLLER://0.0.0.0:${local.ports.controller}"
      "advertised.listeners" = "CONTROLLER://@ADDRESS@:${local.ports.controller}"
    }
    broker = merge(local.data, {
      "listeners" = join(",", [
        "INTERNAL://0.0.0.0:${local.ports.internal}",
        "CLIENTS://0.0.0.0:${local.ports.clients}",
        "REPLAY://0.0.0.0:${local.ports.replay}",
      ])
      "advertised.listeners" = join(",", [
        "INTERNAL://@ADDRESS@:${local.ports.internal}",
        "CLIENTS://@ADDRESS@:${local.ports.clients}",
        "REPLAY://@ADDRESS@:${local.ports.replay}",
      ])
      # How much of each partition stays on disk once it is in the store.
      "log.local.retention.ms"                           = 3600000
      "strandline.replay.listener"                       = "REPLAY"
      "replica.selector.class"                           = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
      "offsets.topic.replication.factor"                 = 3
      "transaction.state.log.replication.factor"         = 3
      "transaction.state.log.min.isr"                    = 2
      "share.coordinator.state.topic.replication.factor" = 3
      "share.coordinator.state.topic.min.isr"            = 2
    })
    replay = merge(local.data, {
      "strandline.replay.broker" = true
      "listeners"                = "REPLAY://0.0.0.0:${local.ports.replay}"
      "advertised.listeners"     = "REPLAY://@ADDRESS@:${local.ports.replay}"
      # Its role at the object store is to read.
      "strandline.metadata.backup.ms" = 0
    })
  }
  settings   = { for key, value in merge(local.common, local.of_role[var.role], var.settings) : key => tostring(value) }
  properties = join("", [for key, value in local.settings : "${key}=${value}\n"])

  # In MiB: the cache's slabs, what is on its way into them, and buffers.
  direct_mb = 1024 + ceil(var.role == "controller" ? 0 : var.cache_memory_bytes * 1.25 / 1048576)

  environment = {
    CLUSTER             = var.cluster
    CLUSTER_ID          = var.cluster_id
    ROLE                = var.role
    NODE_ID             = var.node_id
    PLATFORM            = var.platform
    ADDRESS             = var.address
    RACK                = var.rack
    REGION              = var.region
    VOTERS              = var.role == "controller" ? local.voters : ""
    CLAIMS_URL          = var.role == "controller" ? var.claims_url : ""
    DISTRIBUTION_URL    = var.distribution.url
    DISTRIBUTION_SHA256 = var.distribution.sha256
    DISK                = var.disk
    CREDENTIALS         = var.credentials_file
    SECRETS             = join(" ", [for name, arn in var.secrets : "${name}=${arn}"])
    HEAP                = var.heap == null ? "" : var.heap
    DIRECT_MB           = local.direct_mb
    JAVA_OPTS           = var.java_options
    PACKAGES_DNF        = join(" ", var.packages.dnf)
    PACKAGES_APT        = join(" ", var.packages.apt)
    ADMIN_PORT          = local.ports.admin
    # Where its end is asked for: a listener that it has, and other brokers too. By any other they do not know a replay broker.
    OWN_PORT       = var.role == "replay" ? local.ports.replay : local.ports.internal
    DRAIN_PATIENCE = 600
    PUBLISH        = var.publish_metrics
  }

  files = {
    "/usr/local/sbin/strandline-node"      = { mode = "0755", text = file("${path.module}/files/strandline-node") }
    "/etc/strandline/node.env"             = { mode = "0644", text = join("", [for name, value in local.environment : "${name}='${value}'\n"]) }
    "/etc/strandline/server.properties.in" = { mode = "0644", text = local.properties }
  }
  user_data = templatefile("${path.module}/files/user-data.sh.tftpl", { cluster = var.cluster, files = local.files })
}
