# Replay brokers: one group, of any size. They hold nothing, so they come and go as they like.

resource "aws_autoscaling_group" "replay" {
  name                = "${var.name}-replay"
  min_size            = 0
  max_size            = max(var.replay.count, var.replay.max)
  desired_capacity    = var.replay.count
  vpc_zone_identifier = [for zone in local.zones : local.subnets[zone]]
  target_group_arns   = [aws_lb_target_group.bootstrap["replay"].arn]
  capacity_rebalance  = var.replay.spot

  health_check_type         = "EC2"
  health_check_grace_period = 300

  mixed_instances_policy {
    instances_distribution {
      on_demand_percentage_above_base_capacity = var.replay.spot ? 0 : 100
      spot_allocation_strategy                 = "price-capacity-optimized"
    }
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.node["replay"].id
        version            = aws_launch_template.node["replay"].latest_version
      }
      dynamic "override" {
        for_each = local.instance_types.replay
        content {
          instance_type = override.value
        }
      }
    }
  }

  initial_lifecycle_hook {
    name                 = "terminating"
    lifecycle_transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    default_result       = "CONTINUE"
    # A stop takes 390 s at most; the registration is taken out after it.
    heartbeat_timeout = 600
  }

  # A new version or image: half of them at a time, for clients go on with the others.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 50
    }
  }

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "${var.name}-replay", StrandlineGroup = "${var.name}-replay" })
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  depends_on = [terraform_data.ground, aws_volume_attachment.controller]
}
