variable "name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,39}$", var.name))
    error_message = "Letters, digits and dashes, at most 40."
  }
}

variable "cluster_id" {
  description = "Id of the cluster, 22 characters as strandline random-uuid makes them; stays what it was."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_-]{21}$", var.cluster_id))
    error_message = "22 characters of A-Z, a-z, 0-9, _ and -."
  }
}

variable "hosts" {
  description = <<-TEXT
    The hosts by node id: what each is (controller, broker or replay), the name or IPv4 address by which all others and
    the clients reach it, its rack, and its disk: a device that is Strandline's alone (/dev/disk/by-id/…), or directory
    for /var/lib/strandline as it is.
  TEXT
  type = map(object({
    role    = string
    address = string
    rack    = optional(string, "")
    disk    = optional(string, "directory")
  }))

  validation {
    condition     = alltrue([for id in keys(var.hosts) : can(regex("^(0|[1-9][0-9]{0,8})$", id))])
    error_message = "Node ids are numbers."
  }
  validation {
    condition     = alltrue([for host in values(var.hosts) : contains(["controller", "broker", "replay"], host.role)])
    error_message = "Roles are controller, broker and replay."
  }
  validation {
    condition     = contains([1, 3, 5], length([for host in values(var.hosts) : host if host.role == "controller"]))
    error_message = "1, 3 or 5 controllers."
  }
  validation {
    condition     = length([for host in values(var.hosts) : host if host.role == "broker"]) >= 3
    error_message = "At least 3 brokers: topics have three replicas."
  }
  validation {
    condition     = length(distinct([for host in values(var.hosts) : host.address])) == length(var.hosts)
    error_message = "A host is one node."
  }
  validation {
    condition     = alltrue([for host in values(var.hosts) : can(regex("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", host.address))])
    error_message = "Each host has an address: a name or an IPv4 address."
  }
}

variable "object_store" {
  description = "An S3 endpoint that decides conditional writes (docs/object-stores.md names those that were tried), and a bucket that is there. Signed for region, with the bucket in the path unless path_style is false."
  type = object({
    endpoint   = string
    bucket     = string
    prefix     = optional(string)
    region     = optional(string, "us-east-1")
    path_style = optional(bool, true)
    options    = optional(map(string), {})
  })

  validation {
    condition     = can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]+)?$", var.object_store.endpoint))
    error_message = "The endpoint is http(s)://host or http(s)://host:port."
  }
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.object_store.bucket)) && can(regex("^[A-Za-z0-9/_.-]+$", coalesce(var.object_store.prefix, "x")))
    error_message = "A bucket's name, and a prefix of letters, digits, /, _, . and -."
  }
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.object_store.region))
    error_message = "A region of letters, digits, dots, dashes and underscores."
  }
  validation {
    condition     = alltrue([for key, value in var.object_store.options : can(regex("^[A-Za-z][A-Za-z.]*$", key)) && can(regex("^[^\\s'\"&|\\\\]+$", value))])
    error_message = "Options are names and values as docs/object-stores.md has them, without spaces, quotes, & and |."
  }
}

variable "credentials_file" {
  description = "File on every host with the store's key: aws_access_key_id and aws_secret_access_key, as in ~/.aws/credentials. Put there by whatever hands out secrets; the node waits for it. Not through Terraform: it would stand in its state."
  type        = string
  default     = "/etc/strandline/credentials"

  validation {
    condition     = startswith(var.credentials_file, "/")
    error_message = "An absolute path."
  }
}

variable "distribution" {
  description = "strandline-VERSION.tar.gz, as https://…, http://… or file:/… of each host, and its SHA-256 in hex."
  type = object({
    url    = string
    sha256 = string
  })

  validation {
    condition     = can(regex("^(https?://|file:/)[^\\s']+$", var.distribution.url)) && can(regex("^[0-9a-f]{64}$", var.distribution.sha256))
    error_message = "https://…, http://… or file:/…, and 64 hex digits."
  }
}

variable "settings" {
  description = "Keys of server.properties by role, over the module's own, except those that scripts and firewalls go by (modules/node). No secrets: $${file:/path:KEY} names them."
  type = object({
    controller = optional(map(string), {})
    broker     = optional(map(string), {})
    replay     = optional(map(string), {})
  })
  default = {}
}

variable "memory" {
  description = "By role: heap of the JVM (null for a quarter of the machine's, at most 8g), and memory and disk for history that was read."
  type = object({
    controller = optional(object({ heap = optional(string) }), {})
    broker     = optional(object({ heap = optional(string), cache_memory_bytes = optional(number, 1073741824), cache_disk_bytes = optional(number, 10737418240) }), {})
    replay     = optional(object({ heap = optional(string), cache_memory_bytes = optional(number, 4294967296), cache_disk_bytes = optional(number, 107374182400) }), {})
  })
  default = {}

  validation {
    condition     = alltrue([for role in [var.memory.controller, var.memory.broker, var.memory.replay] : role.heap == null || can(regex("^[0-9]+[mg]$", role.heap))])
    error_message = "A heap of 512m or 4g, for example."
  }
  validation {
    condition     = alltrue([for role in [var.memory.broker, var.memory.replay] : role.cache_memory_bytes >= 1048576 && role.cache_disk_bytes >= 0])
    error_message = "At least 1 MiB of memory for what was read, and no negative disk."
  }
}

variable "packages" {
  description = "What the scripts install where Java 17 or newer, mkfs.xfs or curl is not there, on hosts with dnf and with apt-get; of a|b|c the first that the host's release has."
  type = object({
    dnf = optional(list(string), ["java-21-openjdk-headless|java-17-openjdk-headless", "xfsprogs", "mdadm"])
    apt = optional(list(string), ["openjdk-21-jre-headless|openjdk-17-jre-headless", "xfsprogs", "mdadm", "curl", "ca-certificates"])
  })
  default = {}

  validation {
    condition     = alltrue([for name in concat(var.packages.dnf, var.packages.apt) : can(regex("^[A-Za-z0-9][A-Za-z0-9.+_-]*(\\|[A-Za-z0-9][A-Za-z0-9.+_-]*)*$", name))])
    error_message = "Names of packages, with | between alternatives."
  }
}
