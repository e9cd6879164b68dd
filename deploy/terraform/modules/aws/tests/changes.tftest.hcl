# What an apply does to a cluster that is there: nothing that takes more than one controller away, or the network.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name  = "orders"
  zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  distribution = {
    url    = "s3://releases/strandline.tar.gz"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "at_the_start" {
  assert {
    condition     = [for id in ["101", "102", "103"] : aws_ebs_volume.controller[id].availability_zone] == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    error_message = "A zone each, by order."
  }
}

run "another_type_and_key" {
  variables {
    controllers = { instance_type = "m7g.large", volume_gib = 30 }
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition     = alltrue([for instance in aws_instance.controller : instance.instance_type == "t4g.medium"])
    error_message = "They would all be stopped at once."
  }
  assert {
    condition     = alltrue([for volume in aws_ebs_volume.controller : volume.kms_key_id != var.kms_key_arn && volume.size == 30])
    error_message = "All disks would be made anew, empty; larger they get as they are."
  }
  assert {
    condition     = alltrue([for instance in aws_instance.controller : instance.root_block_device[0].kms_key_id != var.kms_key_arn])
    error_message = "All instances would be made anew at once."
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.node : one(one(template.block_device_mappings).ebs).kms_key_id == var.kms_key_arn])
    error_message = "Brokers that come take it."
  }
}

run "zones_in_another_order" {
  variables {
    zones = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
  }

  assert {
    condition     = [for id in ["101", "102", "103"] : aws_ebs_volume.controller[id].availability_zone] == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    error_message = "Disks stay where they are."
  }
  assert {
    condition = alltrue([for id, zone in { "101" = "eu-central-1a", "102" = "eu-central-1b", "103" = "eu-central-1c" } :
    aws_network_interface.controller[id].subnet_id == aws_subnet.own[zone].id])
    error_message = "Addresses too, beside their disks."
  }
  assert {
    condition = alltrue([for id, zone in { "1" = "eu-central-1a", "2" = "eu-central-1b", "3" = "eu-central-1c" } :
    one(aws_autoscaling_group.broker[id].vpc_zone_identifier) == aws_subnet.own[zone].id])
    error_message = "And brokers."
  }
  assert {
    condition     = [for zone in ["a", "b", "c"] : aws_subnet.own["eu-central-1${zone}"].cidr_block] == ["10.40.0.0/19", "10.40.32.0/19", "10.40.64.0/19"]
    error_message = "And subnets, which would be made anew with all that is in them."
  }
}

run "a_zone_that_goes" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b"]
  }
  expect_failures = [terraform_data.zones]
}

run "a_zone_that_comes" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c", "eu-central-1d"]
  }
  expect_failures = [terraform_data.zones]
}

# Of a cluster that an earlier version made, that remembers no zones yet.
run "zones_are_not_remembered" {
  command = plan
  plan_options {
    replace = [terraform_data.zones]
  }

  assert {
    condition     = [for zone in ["a", "b", "c"] : aws_subnet.own["eu-central-1${zone}"].cidr_block] == ["10.40.0.0/19", "10.40.32.0/19", "10.40.64.0/19"]
    error_message = "Subnets stay: one whose addresses are not known yet is made anew."
  }
}

run "another_name" {
  command = plan
  variables {
    name = "payments"
  }
  expect_failures = [terraform_data.chosen]
}

run "another_network" {
  command = plan
  variables {
    cidr = "10.41.0.0/16"
  }
  expect_failures = [terraform_data.chosen]
}

run "a_given_vpc_instead" {
  command = plan
  variables {
    vpc = {
      id              = "vpc-1"
      subnets         = { "eu-central-1a" = "subnet-a", "eu-central-1b" = "subnet-b", "eu-central-1c" = "subnet-c" }
      route_table_ids = []
    }
  }
  expect_failures = [terraform_data.chosen]
}
