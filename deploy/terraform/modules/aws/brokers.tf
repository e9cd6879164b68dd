# A group of one for each broker: its id and zone are the group's, so whatever instance it starts is that broker. One
# that is terminated, or whose machine dies, is replaced by another with an empty disk, which gets its replicas' hot
# tails from the others and the rest from the bucket.

resource "aws_autoscaling_group" "broker" {
  for_each            = local.brokers
  name                = "${var.name}-broker-${each.key}"
  min_size            = 1
  max_size            = 1
  desired_capacity    = 1
  vpc_zone_identifier = [local.subnets[each.value]]
  target_group_arns   = [aws_lb_target_group.bootstrap["clients"].arn]

  # Never the load balancer's view: brokers are not ready while the quorum is away, and replacing them all would throw
  # away what only their disks have. A process that should be started anew is the agent's.
  health_check_type         = "EC2"
  health_check_grace_period = 300

  # For the alarm on a broker that has no instance.
  metrics_granularity = "1Minute"
  enabled_metrics     = var.alarms == null ? [] : ["GroupInServiceInstances"]

  launch_template {
    id      = aws_launch_template.node["broker"].id
    version = aws_launch_template.node["broker"].latest_version
  }

  # In the group itself, so that it is there until the group is gone: the instance of a group that is destroyed takes
  # its replicas off first.
  initial_lifecycle_hook {
    name                 = "terminating"
    lifecycle_transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    heartbeat_timeout    = 900
    default_result       = "CONTINUE"
  }

  dynamic "tag" {
    for_each = merge(local.tags, {
      Name             = "${var.name}-broker-${each.key}"
      StrandlineNodeId = each.key
      StrandlineGroup  = "${var.name}-broker-${each.key}"
    })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Of a drain: as long as what is moved takes.
  timeouts {
    delete = "6h"
  }
  # Until it is gone it needs its rights, its way to the bucket and a quorum.
  depends_on = [terraform_data.ground, aws_volume_attachment.controller]
}
