data "aws_region" "here" {}
data "aws_partition" "here" {}
data "aws_caller_identity" "here" {}

data "aws_ssm_parameter" "ami" {
  count = var.ami_id == null ? 1 : 0
  name  = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

# Which node is where follows from the zones of the first apply, for good: by others, or by another order, the controllers'
# disks and addresses would all be made anew at once, and the brokers' groups would leave their instances for others.
resource "terraform_data" "zones" {
  input = local.given_zones

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = alltrue([for zone in self.output : contains(local.given_zones, zone)])
      error_message = "Zones are chosen at the start, for nodes are where they are by them: none may go (${join(", ", self.output)})."
    }
    postcondition {
      condition     = var.vpc != null || length(self.output) == length(local.given_zones)
      error_message = "Zones are chosen at the start, for nodes are where they are by them: none comes to the cluster's own VPC later (${join(", ", self.output)})."
    }
  }
}

# By others the network would be made anew, or all groups be deleted, under controllers whose addresses stay: an apply would
# come to its end half-way, with nothing left that serves.
resource "terraform_data" "chosen" {
  input = {
    name = var.name
    vpc  = var.vpc == null ? "" : var.vpc.id
    cidr = var.vpc == null ? var.cidr : ""
  }

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = self.output.name == var.name
      error_message = "The name is chosen at the start (${self.output.name}): everything is called by it."
    }
    postcondition {
      condition     = self.output.vpc == (var.vpc == null ? "" : var.vpc.id)
      error_message = "The VPC is chosen at the start (${self.output.vpc == "" ? "the cluster's own" : self.output.vpc}): addresses of controllers are in it."
    }
    postcondition {
      condition     = var.vpc != null || self.output.cidr == "" || self.output.cidr == var.cidr
      error_message = "The VPC's cidr is chosen at the start (${self.output.cidr}): another would make the network anew, and with it everything."
    }
  }
}

# Drawn once, whatever uuid() says later.
resource "terraform_data" "identity" {
  input = uuid()

  lifecycle {
    ignore_changes = [input]
  }
}

locals {
  region     = data.aws_region.here.region
  partition  = data.aws_partition.here.partition
  dns_suffix = data.aws_partition.here.dns_suffix
  account    = data.aws_caller_identity.here.account_id
  ami        = var.ami_id == null ? data.aws_ssm_parameter.ami[0].insecure_value : var.ami_id
  tags       = merge(var.tags, { StrandlineCluster = var.name })

  # 16 characters of base64 are the 22 of an id; those of a hash have no dash and no plus in them.
  cluster_id = var.cluster_id != null ? var.cluster_id : replace(base64encode(substr(md5(terraform_data.identity.output), 0, 16)), "=", "")

  given_zones = var.vpc == null ? var.zones : sort(keys(var.vpc.subnets))
  zones       = tolist(terraform_data.zones.output)
  vpc_id      = var.vpc == null ? aws_vpc.own[0].id : var.vpc.id
  subnets     = var.vpc == null ? { for zone, subnet in aws_subnet.own : zone => subnet.id } : var.vpc.subnets

  prefix       = var.name
  object_store = "s3://${aws_s3_bucket.history.bucket}/${local.prefix}?region=${local.region}"

  # Ids: brokers from 1, controllers from 101, replay brokers from 1,000,000 on (by address). Each id has its zone for good.
  controllers = { for i in range(3) : tostring(101 + i) => local.zones[i % length(local.zones)] }
  brokers     = { for i in range(var.brokers.count) : tostring(1 + i) => local.zones[i % length(local.zones)] }

  # The smallest that do, for who names none.
  types = {
    arm64  = { controller = "t4g.medium", broker = "i4g.large" }
    x86_64 = { controller = "t3.medium", broker = "i4i.large" }
  }[var.architecture]
  instance_types = {
    controller = coalesce(var.controllers.instance_type, local.types.controller)
    broker     = [coalesce(var.brokers.instance_type, local.types.broker)]
    replay     = coalescelist(var.replay.instance_types, [local.types.broker])
  }

  addresses = { for id, interface in aws_network_interface.controller : id => interface.private_ip }
}

# ---- what each role does at boot ---------------------------------------------------

module "controller" {
  source   = "../node"
  for_each = local.controllers

  cluster         = var.name
  cluster_id      = local.cluster_id
  role            = "controller"
  node_id         = each.key
  platform        = "aws"
  region          = local.region
  distribution    = var.distribution
  disk            = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${replace(aws_ebs_volume.controller[each.key].id, "-", "")}"
  controllers     = local.addresses
  object_store    = local.object_store
  claims_url      = "https://${aws_s3_bucket.history.bucket}.s3.${local.region}.${local.dns_suffix}/controllers/${local.cluster_id}"
  secrets         = local.secrets.controller
  settings        = var.settings.controller
  publish_metrics = var.alarms != null
}

module "broker" {
  source = "../node"

  cluster            = var.name
  cluster_id         = local.cluster_id
  role               = "broker"
  node_id            = "tag"
  platform           = "aws"
  region             = local.region
  distribution       = var.distribution
  disk               = "instance-store"
  controllers        = local.addresses
  object_store       = local.object_store
  secrets            = local.secrets.broker
  settings           = var.settings.broker
  heap               = var.brokers.heap
  cache_memory_bytes = var.brokers.cache_memory_bytes
  cache_disk_bytes   = var.brokers.cache_disk_bytes
  publish_metrics    = var.alarms != null
}

module "replay" {
  source = "../node"

  cluster            = var.name
  cluster_id         = local.cluster_id
  role               = "replay"
  node_id            = "address"
  platform           = "aws"
  region             = local.region
  distribution       = var.distribution
  disk               = "instance-store"
  controllers        = local.addresses
  object_store       = local.object_store
  secrets            = local.secrets.replay
  settings           = var.settings.replay
  heap               = var.replay.heap
  cache_memory_bytes = var.replay.cache_memory_bytes
  cache_disk_bytes   = var.replay.cache_disk_bytes
  publish_metrics    = var.alarms != null
}
