# Three controllers. Address and disk are apart from the instance and outlive it: what the quorum knows of a voter does
# not change when its machine does. The instance itself is nobody's favourite either:
#   terraform apply -replace='module.NAME.aws_instance.controller["101"]'   one at a time.

resource "aws_network_interface" "controller" {
  for_each        = local.controllers
  subnet_id       = local.subnets[each.value]
  security_groups = [aws_security_group.nodes.id]
  description     = "${var.name}, controller ${each.key}"
  tags            = merge(local.tags, { Name = "${var.name}-controller-${each.key}" })

  lifecycle {
    ignore_changes = [subnet_id]
  }
}

resource "aws_ebs_volume" "controller" {
  for_each          = local.controllers
  availability_zone = each.value
  size              = var.controllers.volume_gib
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  tags              = merge(local.tags, { Name = "${var.name}-controller-${each.key}" })

  lifecycle {
    # Either would take three empty disks for three full ones, and with them all that the cluster knows.
    ignore_changes = [availability_zone, kms_key_id]
  }
}

resource "aws_instance" "controller" {
  for_each             = local.controllers
  ami                  = local.ami
  instance_type        = local.instance_types.controller
  iam_instance_profile = aws_iam_instance_profile.node["controller"].name
  user_data_base64     = base64encode(module.controller[each.key].user_data)
  ebs_optimized        = true
  tags                 = merge(local.tags, { Name = "${var.name}-controller-${each.key}" })

  primary_network_interface {
    network_interface_id = aws_network_interface.controller[each.key].id
  }
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }
  root_block_device {
    volume_type = "gp3"
    volume_size = 10
    encrypted   = true
    kms_key_id  = var.kms_key_arn
    tags        = local.tags
  }
  maintenance_options {
    auto_recovery = "default"
  }

  lifecycle {
    # A new version, image, type or key is for the operator to take, one controller after another (-replace, which takes
    # them all): all three at once would leave no quorum.
    ignore_changes = [ami, instance_type, user_data_base64, root_block_device[0].kms_key_id]
  }
  depends_on = [terraform_data.ground]
}

resource "aws_volume_attachment" "controller" {
  for_each                       = local.controllers
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.controller[each.key].id
  instance_id                    = aws_instance.controller[each.key].id
  stop_instance_before_detaching = true
}
