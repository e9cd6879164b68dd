# One name for clients to begin with; what they hear of there are the brokers' own addresses. 9092 leads to any broker
# that is ready, 9094 to any replay broker.

resource "aws_lb" "bootstrap" {
  name_prefix                      = substr("${replace(var.name, "-", "")}xxxxxx", 0, 6)
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = values(local.subnets)
  security_groups                  = [aws_security_group.bootstrap.id]
  enable_cross_zone_load_balancing = true
  tags                             = merge(local.tags, { Name = "${var.name}-bootstrap" })
}

resource "aws_lb_target_group" "bootstrap" {
  for_each             = toset(["clients", "replay"])
  name                 = "${var.name}-${each.key}"
  port                 = local.ports[each.key]
  protocol             = "TCP"
  target_type          = "instance"
  vpc_id               = local.vpc_id
  deregistration_delay = 30
  # A client on a node's own host, or behind the same NAT, would meet itself.
  preserve_client_ip = "false"
  tags               = local.tags

  health_check {
    protocol            = "HTTP"
    port                = tostring(local.ports.admin)
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "bootstrap" {
  for_each          = aws_lb_target_group.bootstrap
  load_balancer_arn = aws_lb.bootstrap.arn
  port              = local.ports[each.key]
  protocol          = "TCP"
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = each.value.arn
  }
}

resource "aws_route53_record" "bootstrap" {
  for_each = var.dns == null ? {} : { bootstrap = "bootstrap.${var.dns.domain}", replay = "replay.${var.dns.domain}" }
  zone_id  = var.dns.zone_id
  name     = each.value
  type     = "A"

  alias {
    name                   = aws_lb.bootstrap.dns_name
    zone_id                = aws_lb.bootstrap.zone_id
    evaluate_target_health = false
  }
}
