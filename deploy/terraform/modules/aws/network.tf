# A VPC of the cluster's own: a subnet in each zone, and no way out but to S3 and the few services that nodes ask. Who
# has clients elsewhere peers with it (output route_table_id).

locals {
  # What nodes ask, beside S3.
  services = var.vpc != null ? [] : concat(
    ["autoscaling"],
    var.alarms == null ? [] : ["monitoring"],
    length(merge(values(var.secrets)...)) == 0 ? [] : ["secretsmanager"],
    var.session_manager ? ["ssm", "ssmmessages"] : [],
  )
  route_tables = var.vpc == null ? [for table in aws_route_table.own : table.id] : var.vpc.route_table_ids
}

resource "aws_vpc" "own" {
  count                = var.vpc == null ? 1 : 0
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(local.tags, { Name = var.name })

  lifecycle {
    precondition {
      # There services' endpoints are named in two ways, by service.
      condition     = data.aws_partition.here.reverse_dns_prefix == "com.amazonaws"
      error_message = "In this partition (${local.partition}) the cluster wants a VPC that is there (vpc)."
    }
  }
}

resource "aws_subnet" "own" {
  for_each          = var.vpc == null ? toset(var.zones) : toset([])
  vpc_id            = aws_vpc.own[0].id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 3, index(local.zones, each.key))
  tags              = merge(local.tags, { Name = "${var.name}-${each.key}" })

  lifecycle {
    # It follows from what was chosen at the start, which a cluster of an earlier version does not remember yet: while that
    # is unknown, every subnet would be planned anew.
    ignore_changes = [cidr_block]
  }
}

resource "aws_route_table" "own" {
  count  = var.vpc == null ? 1 : 0
  vpc_id = aws_vpc.own[0].id
  tags   = merge(local.tags, { Name = var.name })
}

resource "aws_route_table_association" "own" {
  for_each       = aws_subnet.own
  subnet_id      = each.value.id
  route_table_id = aws_route_table.own[0].id
}

# What goes to the bucket stays in the region's network: no NAT, and no price by the byte.
resource "aws_vpc_endpoint" "s3" {
  count             = length(local.route_tables) == 0 && var.vpc != null ? 0 : 1
  vpc_id            = local.vpc_id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = local.route_tables
  tags              = merge(local.tags, { Name = "${var.name}-s3" })

  # In the own VPC: the bucket, the distribution, and Amazon Linux' packages; and other clusters' buckets, to read. A given VPC
  # has other users.
  policy = var.vpc != null ? null : jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:*"
      Resource = concat(
        [aws_s3_bucket.history.arn, "${aws_s3_bucket.history.arn}/*"],
        local.distribution_arns,
        ["arn:${local.partition}:s3:::al2023-repos-${local.region}-de612dc2/*"],
      )
    }], [for statement in local.mounts : merge(statement, { Principal = "*" })])
  })
}

resource "aws_vpc_endpoint" "service" {
  for_each            = toset(local.services)
  vpc_id              = local.vpc_id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = values(local.subnets)
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true
  tags                = merge(local.tags, { Name = "${var.name}-${each.key}" })
}

# What a node stands on from its first minute to its last, while it drains too: nothing of it goes before the node has.
resource "terraform_data" "ground" {
  depends_on = [
    aws_route_table_association.own, aws_vpc_endpoint.s3, aws_vpc_endpoint.service,
    aws_vpc_security_group_ingress_rule.endpoints, aws_vpc_security_group_ingress_rule.nodes,
    aws_vpc_security_group_ingress_rule.bootstrap, aws_vpc_security_group_egress_rule.bootstrap,
    aws_vpc_security_group_egress_rule.nodes, aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_egress_rule.dns, aws_iam_role_policy.node, aws_s3_bucket_policy.history,
    aws_s3_bucket_server_side_encryption_configuration.history, aws_lb_listener.bootstrap,
  ]
}

# ---- security groups ---------------------------------------------------------------

resource "aws_security_group" "nodes" {
  name_prefix = "${var.name}-nodes-"
  description = "Nodes of the Strandline cluster ${var.name}"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-nodes" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "bootstrap" {
  name_prefix = "${var.name}-bootstrap-"
  description = "Bootstrap address of the Strandline cluster ${var.name}"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-bootstrap" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "endpoints" {
  count       = length(local.services) == 0 ? 0 : 1
  name_prefix = "${var.name}-endpoints-"
  description = "Endpoints of AWS services for ${var.name}"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-endpoints" })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  ports = module.broker.ports

  # Who may come to the nodes, and to which port.
  node_ingress = merge(
    # Replay brokers that go are taken out of the metadata at the listener that all brokers have.
    { for port in ["internal", "controller", "replay"] : "nodes-${port}" => { port = local.ports[port], cidr = null, group = aws_security_group.nodes.id } },
    { for port in ["clients", "replay", "admin"] : "bootstrap-${port}" => { port = local.ports[port], cidr = null, group = aws_security_group.bootstrap.id } },
    merge([for port in ["clients", "replay"] : merge(
      { for cidr in toset(var.client_cidrs) : "${cidr}-${port}" => { port = local.ports[port], cidr = cidr, group = null } },
      { for i, group in distinct(var.client_security_group_ids) : "group-${i}-${port}" => { port = local.ports[port], cidr = null, group = group } },
    )]...),
    { for cidr in toset(var.monitoring_cidrs) : "${cidr}-admin" => { port = local.ports.admin, cidr = cidr, group = null } },
  )
  bootstrap_ingress = { for name, rule in local.node_ingress : name => rule
  if(rule.port == local.ports.clients || rule.port == local.ports.replay) && !startswith(name, "bootstrap-") && !startswith(name, "nodes-") }
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each                     = local.node_ingress
  security_group_id            = aws_security_group.nodes.id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.group
  tags                         = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "bootstrap" {
  for_each                     = local.bootstrap_ingress
  security_group_id            = aws_security_group.bootstrap.id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.group
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "bootstrap" {
  for_each                     = toset(["clients", "replay", "admin"])
  security_group_id            = aws_security_group.bootstrap.id
  description                  = "nodes, ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.ports[each.key]
  to_port                      = local.ports[each.key]
  referenced_security_group_id = aws_security_group.nodes.id
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  security_group_id            = aws_security_group.nodes.id
  description                  = "each other"
  ip_protocol                  = "tcp"
  from_port                    = local.ports.internal
  to_port                      = local.ports.replay
  referenced_security_group_id = aws_security_group.nodes.id
  tags                         = local.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.nodes.id
  description       = "S3 and AWS services"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
  tags              = local.tags
}

# Amazon's own resolver is asked past every security group; others are not.
resource "aws_vpc_security_group_egress_rule" "dns" {
  for_each = merge([for cidr in var.dns_cidrs : {
    "${cidr}-udp" = { cidr = cidr, protocol = "udp" }
    "${cidr}-tcp" = { cidr = cidr, protocol = "tcp" }
  }]...)
  security_group_id = aws_security_group.nodes.id
  description       = "DNS, ${each.key}"
  ip_protocol       = each.value.protocol
  from_port         = 53
  to_port           = 53
  cidr_ipv4         = each.value.cidr
  tags              = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count                        = length(local.services) == 0 ? 0 : 1
  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "nodes"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.nodes.id
  tags                         = local.tags
}
