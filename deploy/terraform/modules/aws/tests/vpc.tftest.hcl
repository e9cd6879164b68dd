# In a VPC that is there.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "orders"
  client_cidrs = ["10.0.0.0/8"]
  vpc = {
    id              = "vpc-1"
    subnets         = { "eu-central-1b" = "subnet-b", "eu-central-1c" = "subnet-c" }
    route_table_ids = []
  }
  distribution = { url = "https://example.org/s.tar.gz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  brokers      = { count = 4 }
  replay       = { count = 5, spot = true }
  alarms       = null
  dns_cidrs    = ["10.9.0.2/32"]
}

run "in_a_given_vpc" {
  assert {
    condition     = length(aws_vpc.own) == 0 && length(aws_vpc_endpoint.s3) == 0 && length(aws_vpc_endpoint.service) == 0 && length(aws_subnet.own) == 0
    error_message = "Nothing is made of what is given."
  }
  assert {
    condition     = [for id in ["1", "2", "3", "4"] : one(aws_autoscaling_group.broker[id].vpc_zone_identifier)] == ["subnet-b", "subnet-c", "subnet-b", "subnet-c"]
    error_message = "Over the zones by turns."
  }
  assert {
    condition     = aws_autoscaling_group.replay.desired_capacity == 5 && aws_autoscaling_group.replay.capacity_rebalance
    error_message = "Replay brokers on spot instances."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.node) == 0 && module.broker.environment.PUBLISH == false
    error_message = "No alarms, no metrics."
  }
  assert {
    condition = { for rule in aws_vpc_security_group_egress_rule.dns : rule.ip_protocol => "${rule.cidr_ipv4}:${rule.from_port}" } == {
      tcp = "10.9.0.2/32:53", udp = "10.9.0.2/32:53"
    }
    error_message = "Its own DNS servers are asked."
  }
}

run "a_subnet_more" {
  variables {
    # Of a VPC of its own, which there is not.
    cidr = "10.41.0.0/16"
    vpc = {
      id              = "vpc-1"
      subnets         = { "eu-central-1a" = "subnet-a", "eu-central-1b" = "subnet-b", "eu-central-1c" = "subnet-c" }
      route_table_ids = ["rtb-1"]
    }
  }

  assert {
    condition     = [for id in ["101", "102", "103"] : "${aws_ebs_volume.controller[id].availability_zone} ${aws_network_interface.controller[id].subnet_id}"] == ["eu-central-1b subnet-b", "eu-central-1c subnet-c", "eu-central-1b subnet-b"]
    error_message = "Controllers stay where they are, though its zone comes before theirs."
  }
  assert {
    condition     = [for id in ["1", "2", "3", "4"] : one(aws_autoscaling_group.broker[id].vpc_zone_identifier)] == ["subnet-b", "subnet-c", "subnet-b", "subnet-c"]
    error_message = "And brokers."
  }
  assert {
    condition     = one(aws_vpc_endpoint.s3).route_table_ids == toset(["rtb-1"])
    error_message = "S3 by the route tables that are named."
  }
}

run "a_subnet_less" {
  command = plan
  variables {
    vpc = { id = "vpc-1", subnets = { "eu-central-1b" = "subnet-b" }, route_table_ids = [] }
  }
  expect_failures = [terraform_data.zones]
}

run "another_vpc" {
  command = plan
  variables {
    vpc = { id = "vpc-2", subnets = { "eu-central-1b" = "subnet-b", "eu-central-1c" = "subnet-c" }, route_table_ids = [] }
  }
  expect_failures = [terraform_data.chosen]
}
