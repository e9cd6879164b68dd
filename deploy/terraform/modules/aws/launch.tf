# What the instances of a group are made of: brokers and replay brokers differ in their type and in what they do at boot.

resource "aws_launch_template" "node" {
  for_each = {
    broker = { type = local.instance_types.broker[0], user_data = module.broker.user_data }
    replay = { type = local.instance_types.replay[0], user_data = module.replay.user_data }
  }
  name_prefix            = "${var.name}-${each.key}-"
  image_id               = local.ami
  instance_type          = each.value.type
  vpc_security_group_ids = [aws_security_group.nodes.id]
  user_data              = base64encode(each.value.user_data)
  ebs_optimized          = true
  update_default_version = true
  tags                   = local.tags

  iam_instance_profile {
    name = aws_iam_instance_profile.node[each.key].name
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
