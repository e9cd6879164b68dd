variable "distribution" {
  description = "Directory of an unpacked strandline-VERSION.tar.gz, or of a checkout: what has bin/strandline."
  type        = string

  validation {
    condition     = fileexists("${var.distribution}/bin/strandline")
    error_message = "There is no bin/strandline in this directory."
  }
}

variable "directory" {
  description = "Absolute path under which everything of the cluster lies: node-ID/, objects/."
  type        = string

  validation {
    condition     = startswith(var.directory, "/") && length(var.directory) > 1 && !can(regex("[\\s'\"\\\\$`,=]", var.directory))
    error_message = "An absolute path without spaces, quotes and commas."
  }
}

variable "brokers" {
  description = "How many brokers, with ids from 1. Take one away only after it was drained (README)."
  type        = number
  default     = 3

  validation {
    condition     = var.brokers == floor(var.brokers) && var.brokers >= 1 && var.brokers <= 9
    error_message = "1 to 9 brokers."
  }
}

variable "controllers" {
  description = "How many controllers, with ids from 101; stays as it was when the cluster began."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 3], var.controllers)
    error_message = "1 or 3 controllers."
  }
}

variable "first_port" {
  description = "Each node has two ports of the loopback address, one to serve and one for /metrics and /readyz: broker 1 this one and the next, broker 2 the two after, and so on; controllers from the 20th on."
  type        = number
  default     = 19092

  validation {
    condition     = var.first_port == floor(var.first_port) && var.first_port >= 1024 && var.first_port <= 65500
    error_message = "A port from 1024 to 65500."
  }
}

variable "object_store" {
  description = "strandline.object.store of all brokers; null for a directory beside the nodes. Credentials are found in the environment of terraform apply."
  type        = string
  default     = null

  validation {
    condition     = var.object_store == null || can(regex("^(file:/|s3://)", var.object_store))
    error_message = "file:/absolute/directory or s3://bucket/prefix?region=…"
  }
}

variable "cluster_id" {
  description = "Id of the cluster, 22 characters as strandline random-uuid makes them; null for one that follows from the directory."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_id == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_-]{21}$", var.cluster_id))
    error_message = "22 characters of A-Z, a-z, 0-9, _ and -."
  }
}

variable "settings" {
  description = "Keys of server.properties for all nodes, over the module's own."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([for key in keys(var.settings) :
    !contains(["node.id", "process.roles", "listeners", "log.dirs", "strandline.admin.listener"], key)])
    error_message = "node.id, process.roles, listeners, log.dirs and strandline.admin.listener are the module's."
  }
}

variable "heap" {
  description = "Heap of each node."
  type        = string
  default     = "256m"

  validation {
    condition     = can(regex("^[0-9]+[mg]$", var.heap))
    error_message = "256m or 2g, for example."
  }
}

variable "keep_data" {
  description = "Whether what the nodes wrote stays when they are destroyed. To change it takes an apply before the destroy."
  type        = bool
  default     = true
}
