# Replay brokers: one group, of any size. They hold nothing, so they come and go as they like.

resource "aws_launch_template" "replay" {
  name_prefix            = "${var.name}-replay-"
  image_id               = local.ami
  instance_type          = var.replay.instance_types[0]
  vpc_security_group_ids = [aws_security_group.nodes.id]
  user_data              = base64encode(module.replay.user_data)
  ebs_optimized          = true
  update_default_version = true
  tags                   = local.tags

  iam_instance_profile {
    name = aws_iam_instance_profile.node["replay"].name
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = 20
      encrypted             = "true"
      kms_key_id            = var.kms_key_arn
      delete_on_termination = "true"
    }
  }
  tag_specifications {
    resource_type = "volume"
    tags          = local.tags
  }
}

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
        launch_template_id = aws_launch_template.replay.id
        version            = aws_launch_template.replay.latest_version
      }
      dynamic "override" {
        for_each = var.replay.instance_types
        content {
          instance_type = override.value
        }
      }
    }
  }

  initial_lifecycle_hook {
    name                 = "terminating"
    lifecycle_transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    heartbeat_timeout    = 300
    default_result       = "CONTINUE"
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

  depends_on = [aws_iam_role_policy.node, aws_vpc_endpoint.s3, aws_vpc_endpoint.service, aws_volume_attachment.controller]
}
