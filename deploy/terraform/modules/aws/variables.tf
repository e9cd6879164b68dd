variable "name" {
  description = "Name of the cluster; everything it makes begins with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "2 to 20 lower-case letters, digits and dashes, a letter first."
  }
}

variable "cluster_id" {
  description = "Id of the cluster, 22 characters as strandline random-uuid makes them; null for one that is made once."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_id == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_-]{21}$", var.cluster_id))
    error_message = "22 characters of A-Z, a-z, 0-9, _ and -."
  }
}

# ---- network -------------------------------------------------------------------

variable "vpc" {
  description = <<-TEXT
    A VPC that is there: its id, a subnet for each zone (id by zone name), and the route tables of these subnets, to which
    a gateway endpoint for S3 is added: [] where they have one already, for without one all history goes by whatever route
    is there, through a NAT and at its price. Nodes must reach autoscaling, monitoring and what the distribution is
    fetched from. null for a VPC of the cluster's own, with no way out of it but to those.
  TEXT
  type = object({
    id              = string
    subnets         = map(string)
    route_table_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(can(regex("^vpc-[0-9a-z]+$", var.vpc.id)) && alltrue([for id in var.vpc.route_table_ids : can(regex("^rtb-[0-9a-z]+$", id))]), false)
    error_message = "The id of a VPC (vpc-…), and ids of route tables (rtb-…)."
  }
  validation {
    condition     = var.vpc == null || try(length(var.vpc.subnets) >= 1, false)
    error_message = "At least one subnet; three zones if two replicas are to outlive one."
  }
  validation {
    condition     = var.vpc == null || try(alltrue([for zone, subnet in var.vpc.subnets : can(regex("^[a-z]{2}-[a-z0-9-]*[0-9][a-z]$", zone)) && can(regex("^subnet-", subnet))]), false)
    error_message = "Subnets by the name of their zone: { \"eu-central-1a\" = \"subnet-…\" }."
  }
}

variable "cidr" {
  description = "Addresses of the cluster's own VPC, /16 to /24."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24, false)
    error_message = "An IPv4 network of /16 to /24."
  }
}

variable "zones" {
  description = "Availability zones of the cluster's own VPC. Those of the first apply stay: which node is where follows from them."
  type        = list(string)
  default     = []

  validation {
    condition     = var.vpc != null || (length(var.zones) >= 1 && length(var.zones) <= 6 && length(distinct(var.zones)) == length(var.zones))
    error_message = "Without a VPC that is there, 1 to 6 zones: [\"eu-central-1a\", \"eu-central-1b\", \"eu-central-1c\"]."
  }
  validation {
    condition     = alltrue([for zone in var.zones : can(regex("^[a-z]{2}-[a-z0-9-]*[0-9][a-z]$", zone))])
    error_message = "Names of zones: eu-central-1a."
  }
}

variable "client_cidrs" {
  description = "Networks whose clients may come (9092, and 9094 for replay)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr && tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "IPv4 networks of /8 or smaller by their first address, not the whole internet: 10.0.0.0/8."
  }
}

variable "client_security_group_ids" {
  description = "Security groups whose members may come."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.client_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "Ids of security groups: sg-…"
  }
}

variable "monitoring_cidrs" {
  description = "Networks from which /metrics may be read (9644)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.monitoring_cidrs : can(cidrnetmask(cidr)) && try(cidrsubnet(cidr, 0, 0) == cidr && tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "IPv4 networks of /8 or smaller by their first address, not the whole internet: 10.0.0.0/8."
  }
}

variable "dns_cidrs" {
  description = "Networks of the DNS servers that a given VPC names in its DHCP options; none where it asks Amazon's own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.dns_cidrs : can(cidrnetmask(cidr))])
    error_message = "IPv4 networks: 10.0.0.2/32."
  }
}

variable "dns" {
  description = "Route 53 zone in which bootstrap.NAME and replay.NAME are made, by id and name; null for the load balancer's own name."
  type = object({
    zone_id = string
    domain  = string
  })
  default = null

  validation {
    condition     = var.dns == null || try(can(regex("^Z[A-Z0-9]+$", var.dns.zone_id)) && can(regex("^([a-z0-9_-]+[.])+[a-z0-9-]+$", var.dns.domain)), false)
    error_message = "The id of a zone (Z…), and a domain without a dot at its end: kafka.example.org."
  }
}

variable "session_manager" {
  description = "Whether Session Manager may log in. Nothing else can: there is no SSH."
  type        = bool
  default     = true
}

# ---- object store ----------------------------------------------------------------

variable "bucket_name" {
  description = "Name of the bucket that is made; null for one that begins with the cluster's name."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "3 to 63 lower-case letters, digits and dashes; no dots, for TLS has no certificate for those."
  }
}

variable "delete_history" {
  description = "Whether terraform destroy may delete a bucket that is not empty."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key by which the bucket and the disks are encrypted; null for S3's and EBS' own. Chosen at the start."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "The ARN of a key, not of an alias."
  }
}

variable "mount_bucket_arns" {
  description = "Buckets of other clusters, whose history is mounted or restored here (strandline.mount.stores in settings): brokers and replay brokers may list and read them, and nothing else. From the cluster's own VPC those of this region can be reached."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.mount_bucket_arns : can(regex("^arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", arn))])
    error_message = "ARNs of buckets, without keys: arn:aws:s3:::old-history."
  }
}

variable "mount_kms_key_arns" {
  description = "KMS keys that encrypt these buckets, where they are somebody's own and not S3's."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.mount_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "ARNs of keys, not of aliases."
  }
}

# ---- what runs ---------------------------------------------------------------------

variable "distribution" {
  description = "strandline-VERSION.tar.gz: s3://bucket/key in this region, or https://… where the VPC has a way there; its SHA-256 in hex; and the KMS key that encrypts it in S3, if it is one's own."
  type = object({
    url         = string
    sha256      = string
    kms_key_arn = optional(string)
  })

  validation {
    condition     = can(regex("^(s3://[a-z0-9.-]+/[^\\s']+|https://[^\\s']+)$", var.distribution.url)) && can(regex("^[0-9a-f]{64}$", var.distribution.sha256))
    error_message = "s3://… or https://… and 64 hex digits."
  }
  validation {
    condition     = var.vpc != null || startswith(var.distribution.url, "s3://")
    error_message = "The cluster's own VPC reaches S3 alone: s3://bucket/key."
  }
  validation {
    condition     = var.distribution.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.distribution.kms_key_arn))
    error_message = "The ARN of a key, not of an alias."
  }
}

variable "architecture" {
  description = "Of all instances: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "ami_id" {
  description = "Image of all instances, Amazon Linux 2023 or made from it; null for the newest."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]+$", var.ami_id))
    error_message = "The id of an image: ami-…"
  }
}

variable "controllers" {
  description = "The three controllers: instance type (t4g.medium or t3.medium unless told, by architecture) and size of the disk that outlives them."
  type = object({
    instance_type = optional(string)
    volume_gib    = optional(number, 20)
  })
  default = {}

  validation {
    condition     = var.controllers.volume_gib == floor(var.controllers.volume_gib) && var.controllers.volume_gib >= 8 && var.controllers.volume_gib <= 16384
    error_message = "8 to 16384 GiB, whole ones."
  }
  validation {
    condition     = var.controllers.instance_type == null || can(regex("^[a-z]+[0-9]+g[a-z]*[.]|^a1[.]", var.controllers.instance_type)) == (var.architecture == "arm64")
    error_message = "The instance type is of another architecture than var.architecture says."
  }
}

variable "brokers" {
  description = "The brokers: how many, and a type with NVMe of its own (i4g, im4gn, is4gen, r6gd, … for arm64, i4i, i7ie, r6id, … for x86_64; i4g.large or i4i.large unless told). Memory and disk for history that was read are part of theirs."
  type = object({
    count              = optional(number, 3)
    instance_type      = optional(string)
    heap               = optional(string)
    cache_memory_bytes = optional(number, 1073741824)
    cache_disk_bytes   = optional(number, 10737418240)
  })
  default = {}

  validation {
    condition     = var.brokers.count == floor(var.brokers.count) && var.brokers.count >= 3 && var.brokers.count <= 100
    error_message = "3 to 100 brokers: topics have three replicas."
  }
  validation {
    condition     = var.brokers.instance_type == null || can(regex("^[a-z]+[0-9]+g[a-z]*[.]|^a1[.]", var.brokers.instance_type)) == (var.architecture == "arm64")
    error_message = "The instance type is of another architecture than var.architecture says."
  }
  validation {
    condition     = var.brokers.instance_type == null || can(regex("^(i[3-9]|im[0-9]|is[0-9]|d[3-9])[a-z]*[.]|^[a-z]+[0-9]+[a-z]*d[a-z]*[.]", var.brokers.instance_type))
    error_message = "The instance type has no NVMe of its own: i4g, im4gn, is4gen, i4i, i7ie, or one with a d (r6gd, m6id)."
  }
}

variable "replay" {
  description = "Replay brokers: how many, none included, and up to how many an autoscaler may go; types with NVMe of their own (i4g.large or i4i.large unless told), several where spot instances are wanted."
  type = object({
    count              = optional(number, 0)
    max                = optional(number, 0)
    instance_types     = optional(list(string), [])
    spot               = optional(bool, false)
    heap               = optional(string)
    cache_memory_bytes = optional(number, 4294967296)
    cache_disk_bytes   = optional(number, 214748364800)
  })
  default = {}

  validation {
    condition     = var.replay.count == floor(var.replay.count) && var.replay.count >= 0 && var.replay.count <= 1000
    error_message = "0 to 1000."
  }
  validation {
    condition     = var.replay.max == floor(var.replay.max) && var.replay.max >= 0 && var.replay.max <= 1000
    error_message = "At most 0 to 1000."
  }
  validation {
    # Of each subnet AWS keeps 5 addresses, and 16 are for load balancer and endpoints.
    condition     = var.vpc != null || try(max(var.replay.count, var.replay.max) + var.brokers.count + 3 <= length(var.zones) * (pow(2, 29 - tonumber(split("/", var.cidr)[1])) - 21), true)
    error_message = "The VPC's subnets (an eighth of var.cidr each) do not hold so many: a larger cidr, or more zones."
  }
  validation {
    condition     = alltrue([for type in var.replay.instance_types : can(regex("^[a-z]+[0-9]+g[a-z]*[.]|^a1[.]", type)) == (var.architecture == "arm64")])
    error_message = "An instance type is of another architecture than var.architecture says."
  }
  validation {
    condition     = alltrue([for type in var.replay.instance_types : can(regex("^(i[3-9]|im[0-9]|is[0-9]|d[3-9])[a-z]*[.]|^[a-z]+[0-9]+[a-z]*d[a-z]*[.]", type))])
    error_message = "An instance type has no NVMe of its own: i4g, im4gn, is4gen, i4i, i7ie, or one with a d (r6gd, m6id)."
  }
}

variable "settings" {
  description = "Keys of server.properties by role, over the module's own, except those that scripts and firewalls go by (modules/node). No secrets: $${file:/etc/strandline/secrets/NAME:KEY} or a path below it names them."
  type = object({
    controller = optional(map(string), {})
    broker     = optional(map(string), {})
    replay     = optional(map(string), {})
  })
  default = {}
}

variable "secrets" {
  description = "Secrets of Secrets Manager that become files below /etc/strandline/secrets, by role (controller, broker, replay): ARN by file name. admin.properties is what a broker that goes logs in with to be drained and taken out of the metadata, where clients have to log in."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for role in keys(var.secrets) : contains(["controller", "broker", "replay"], role)])
    error_message = "By role: controller, broker, replay."
  }
  validation {
    condition = alltrue(flatten([for secrets in values(var.secrets) : [for name, arn in secrets :
    can(regex("^[A-Za-z0-9._-]+$", name)) && can(regex("^arn:[a-z-]+:secretsmanager:[^\\s'\"]+$", arn))]]))
    error_message = "File names, and ARNs of secrets."
  }
}

variable "secrets_kms_key_arns" {
  description = "KMS keys that encrypt these secrets, where they are one's own and not aws/secretsmanager."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.secrets_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "ARNs of keys, not of aliases."
  }
}

# ---- operation ---------------------------------------------------------------------

variable "alarms" {
  description = "CloudWatch alarms: which SNS topics hear of them, and when the tier counts as behind; null for none."
  type = object({
    topic_arns       = optional(list(string), [])
    tier_lag_seconds = optional(number, 3600)
  })
  default = {}

  validation {
    condition     = var.alarms == null || try(var.alarms.tier_lag_seconds > 0 && alltrue([for arn in var.alarms.topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))]), false)
    error_message = "ARNs of SNS topics, and a lag above 0."
  }
}

variable "tags" {
  description = "Of everything. Instances read their own tags, so keys are letters, digits and + - = . , _ : @ alone."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : can(regex("^[A-Za-z0-9+=.,_:@-]{1,128}$", key)) && !startswith(key, "aws:") && !contains([".", "..", "_index"], key)])
    error_message = "Keys of letters, digits and + - = . , _ : @, not aws:… (no spaces and no slashes: EC2 refuses those where instances read their tags)."
  }
}
