variable "cluster" {
  description = "Name of the cluster, for metrics and alarms."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,39}$", var.cluster))
    error_message = "Letters, digits and dashes, at most 40."
  }
}

variable "cluster_id" {
  description = "Id of the cluster, 22 characters as strandline random-uuid makes them."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_-]{21}$", var.cluster_id))
    error_message = "22 characters of A-Z, a-z, 0-9, _ and -."
  }
}

variable "role" {
  description = "controller, broker or replay."
  type        = string

  validation {
    condition     = contains(["controller", "broker", "replay"], var.role)
    error_message = "controller, broker or replay."
  }
}

variable "node_id" {
  description = "The node's id; tag: what the instance's tag StrandlineNodeId says; address: made of its IPv4 address."
  type        = string

  validation {
    condition     = can(regex("^([0-9]+|tag|address)$", var.node_id))
    error_message = "A number, tag or address."
  }
}

variable "platform" {
  description = "aws: address, zone and notices come from the instance's metadata; host: from address and rack."
  type        = string
  default     = "host"

  validation {
    condition     = contains(["aws", "host"], var.platform)
    error_message = "aws or host."
  }
}

variable "address" {
  description = "Where others reach this host: a name or an IPv4 address. With platform host."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$", var.address))
    error_message = "A name or an IPv4 address."
  }
  validation {
    condition     = var.platform != "host" || var.address != ""
    error_message = "With platform host the node has to be told its address."
  }
}

variable "rack" {
  description = "Zone, rack or whatever fails together. With platform host."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]*$", var.rack))
    error_message = "Letters, digits, dots, dashes and underscores."
  }
}

variable "distribution" {
  description = "strandline-VERSION.tar.gz: https://…, file:/… or, on AWS, s3://bucket/key; and its SHA-256 in hex."
  type = object({
    url    = string
    sha256 = string
  })

  validation {
    condition     = can(regex("^(https?|file|s3)://?[^\\s']+$", var.distribution.url)) && can(regex("^[0-9a-f]{64}$", var.distribution.sha256))
    error_message = "An address and 64 hex digits."
  }
}

variable "disk" {
  description = "Where the data lies: instance-store, all NVMe of the instance's own; /dev/…, a device for this alone; directory, the root file system."
  type        = string
  default     = "directory"

  validation {
    condition     = can(regex("^(instance-store|directory|/dev/[A-Za-z0-9/_.:-]+)$", var.disk))
    error_message = "instance-store, directory, or a device below /dev."
  }
}

variable "controllers" {
  description = "Where the controllers listen, by node id: host or IPv4 address, without port."
  type        = map(string)

  validation {
    condition     = contains([1, 3, 5], length(var.controllers))
    error_message = "1, 3 or 5 controllers."
  }
  validation {
    condition     = alltrue([for id, host in var.controllers : can(regex("^[0-9]+$", id)) && can(regex("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", host))])
    error_message = "Node ids, and names or IPv4 addresses."
  }
}

variable "object_store" {
  description = "strandline.object.store: s3://bucket/prefix?region=…"
  type        = string

  validation {
    condition     = can(regex("^(s3://[a-z0-9.-]+/|file:/)[^\\s'|]+$", var.object_store))
    error_message = "s3://bucket/prefix?region=… (or file:/directory that all hosts see)."
  }
}

variable "region" {
  description = "Region by which requests to the object store are signed."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.region))
    error_message = "Letters, digits, dots, dashes and underscores."
  }
}

variable "claims_url" {
  description = "Below it controllers write down in the object store that they were formatted once, as https://…/bucket/key; empty: nobody does, and a controller whose disk was lost is formatted by hand with -N before it starts."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(https?://[A-Za-z0-9:/._-]+)?$", var.claims_url))
    error_message = "https://… or http://…, without what has to be quoted."
  }
}

variable "credentials_file" {
  description = "File on the host with the object store's key (aws_access_key_id and aws_secret_access_key, as in ~/.aws/credentials); empty where the instance has a role."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(/[A-Za-z0-9/_.-]+)?$", var.credentials_file))
    error_message = "An absolute path."
  }
}

variable "secrets" {
  description = "Secrets of AWS Secrets Manager that become files below /etc/strandline/secrets: ARN by file name. admin.properties is what the node's own tools log in with."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, arn in var.secrets : can(regex("^[A-Za-z0-9._-]+$", name)) && can(regex("^arn:[^\\s']+$", arn))])
    error_message = "File names and ARNs."
  }
}

variable "settings" {
  description = "Keys of server.properties, over the module's own, except those that the scripts go by (node.id, broker.id, process.roles, listeners, log.dir, log.dirs, metadata.log.dir, strandline.admin.listener, strandline.replay.broker). No secrets: $${file:/etc/strandline/secrets/NAME:KEY} or a path below it names them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.settings : can(regex("^[A-Za-z0-9._-]+$", key)) && !can(regex("[\r\n]|\\\\$", value))])
    error_message = "Keys of letters, digits, dots, dashes and underscores, and values of one line that goes on in no other."
  }
  validation {
    # With another directory, for one, a host would format for ever what it never finds.
    condition = length(setintersection(keys(var.settings), [
      "node.id", "broker.id", "process.roles", "listeners", "log.dir", "log.dirs", "metadata.log.dir", "strandline.admin.listener", "strandline.replay.broker",
    ])) == 0
    error_message = "node.id, broker.id, process.roles, listeners, log.dir, log.dirs, metadata.log.dir, strandline.admin.listener and strandline.replay.broker are the module's: scripts, ports and firewalls go by them."
  }
}

variable "heap" {
  description = "Heap of the JVM, 4g for example; null for a quarter of the memory, at most 8g."
  type        = string
  default     = null

  validation {
    condition     = var.heap == null || can(regex("^[0-9]+[mg]$", var.heap))
    error_message = "512m or 4g, for example."
  }
}

variable "java_options" {
  description = "More options of the JVM."
  type        = string
  default     = ""

  validation {
    condition     = !can(regex("['\"\\\\]", var.java_options))
    error_message = "No quotes and backslashes."
  }
}

variable "cache_memory_bytes" {
  description = "Memory for history that was read from the object store, outside the heap."
  type        = number
  default     = 134217728

  validation {
    condition     = var.cache_memory_bytes >= 1048576
    error_message = "At least 1 MiB."
  }
}

variable "cache_disk_bytes" {
  description = "Disk for the same."
  type        = number
  default     = 1073741824

  validation {
    condition     = var.cache_disk_bytes >= 0
    error_message = "0 or more."
  }
}

variable "packages" {
  description = "Packages to install where Java 17 or newer, mkfs.xfs or curl is not there; of a|b|c the first that the system has."
  type = object({
    dnf = list(string)
    apt = list(string)
  })
  default = {
    dnf = ["java-21-openjdk-headless|java-21-amazon-corretto-headless|java-17-openjdk-headless", "xfsprogs", "mdadm"]
    apt = ["openjdk-21-jre-headless|openjdk-17-jre-headless", "xfsprogs", "mdadm", "curl", "ca-certificates"]
  }

  validation {
    condition     = alltrue([for name in concat(var.packages.dnf, var.packages.apt) : can(regex("^[A-Za-z0-9][A-Za-z0-9.+_-]*(\\|[A-Za-z0-9][A-Za-z0-9.+_-]*)*$", name))])
    error_message = "Names of packages, with | between alternatives."
  }
}

variable "publish_metrics" {
  description = "Whether the agent publishes what alarms are made of to CloudWatch, at least once a minute."
  type        = bool
  default     = false
}
