mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "orders"
  zones        = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  client_cidrs = ["10.0.0.0/8"]
  distribution = {
    url    = "s3://releases/strandline.tar.gz"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "more_than_the_subnets_hold_is_refused" {
  command = plan
  variables {
    cidr   = "10.40.0.0/24"
    replay = { count = 1, max = 40 }
  }
  expect_failures = [var.replay]
}

run "a_cluster_of_its_own" {
  assert {
    condition     = length(aws_autoscaling_group.broker) == 3 && alltrue([for group in aws_autoscaling_group.broker : group.min_size == 1 && group.max_size == 1])
    error_message = "A group of one for each broker."
  }
  assert {
    condition = alltrue([for id, group in aws_autoscaling_group.broker :
    one([for tag in group.tag : tag.value if tag.key == "StrandlineNodeId" && tag.propagate_at_launch]) == id])
    error_message = "The group tells its instance which broker it is."
  }
  assert {
    condition     = length(distinct([for group in aws_autoscaling_group.broker : one(group.vpc_zone_identifier)])) == 3
    error_message = "A zone each."
  }
  assert {
    condition = alltrue([for group in aws_autoscaling_group.broker :
    group.health_check_type == "EC2" && one(group.initial_lifecycle_hook).lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"])
    error_message = "No broker is replaced for being unready, and each is waited for when it goes."
  }
  assert {
    condition     = length(aws_instance.controller) == 3 && length(aws_volume_attachment.controller) == 3 && alltrue([for volume in aws_ebs_volume.controller : volume.encrypted])
    error_message = "Three controllers with encrypted disks that outlive them."
  }
  assert {
    condition     = aws_instance.controller["101"].ami == "ami-0123456789abcdef0"
    error_message = "The newest Amazon Linux 2023."
  }
  assert {
    condition     = aws_autoscaling_group.replay.desired_capacity == 0
    error_message = "No replay brokers unless asked for."
  }
  assert {
    condition     = one(aws_autoscaling_group.replay.initial_lifecycle_hook).heartbeat_timeout >= 30 + 390 + 3 * 30
    error_message = "A replay broker that goes is waited for as long as others are asked for, its stop may take, and three of them are told."
  }
  assert {
    condition = alltrue([for template in values(aws_launch_template.node) :
    template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].instance_metadata_tags == "enabled"])
    error_message = "IMDSv2 alone, with tags."
  }
  assert {
    condition     = alltrue([for template in values(aws_launch_template.node) : length(template.user_data) <= 21848])
    error_message = "User data within 16 KiB, as base64."
  }
  assert {
    condition     = output.bootstrap_servers == "orders.elb.example.org:9092" && output.replay_bootstrap_servers == ""
    error_message = "One name to begin with, and none for what is not there."
  }
  assert {
    condition     = can(regex("^[A-Za-z0-9]{22}$", output.cluster_id))
    error_message = "An id as Kafka's."
  }
  assert {
    condition     = toset(keys(aws_vpc_endpoint.service)) == toset(["autoscaling", "monitoring", "ssm", "ssmmessages"]) && aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway"
    error_message = "The services that nodes ask, and S3 by a gateway."
  }
}

run "the_bucket_is_closed" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.history.block_public_acls, aws_s3_bucket_public_access_block.history.block_public_policy,
      aws_s3_bucket_public_access_block.history.ignore_public_acls, aws_s3_bucket_public_access_block.history.restrict_public_buckets,
    ])
    error_message = "Nothing is public."
  }
  assert {
    condition = one([for statement in jsondecode(aws_s3_bucket_policy.history.policy).Statement : statement
    if statement.Sid == "TlsOnly"]).Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Without TLS all is denied."
  }
  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.history.rule).abort_incomplete_multipart_upload).days_after_initiation == 3
    error_message = "What uploads leave goes."
  }
  assert {
    condition     = !aws_s3_bucket.history.force_destroy
    error_message = "History is not deleted by the way."
  }
}

# What tiering's S3 store calls, and nothing else: PutObject, GetObject, HeadObject, ListObjectsV2, ListObjectVersions,
# ListMultipartUploads, DeleteObject(s), multipart create, upload, complete and abort.
run "roles_allow_what_is_called" {
  command = plan

  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_role_policy.node["broker"].policy).Statement : s.Action])) == toset([
      "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads",
      "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
      "autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat", "autoscaling:DescribeAutoScalingGroups",
      "cloudwatch:PutMetricData",
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ])
    error_message = "A broker's calls, and a session's."
  }
  assert {
    condition = alltrue([for kind, groups in {
      broker = ["broker-?", "broker-??", "broker-???"]
      replay = ["replay"]
      } : one([for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s.Resource if contains(flatten([s.Action]), "autoscaling:CompleteLifecycleAction")])
    == [for group in groups : "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/orders-${group}"]])
    error_message = "It lets its own group go, and none of another cluster whose name begins so."
  }
  assert {
    condition = alltrue([for s in jsondecode(aws_iam_role_policy.node["broker"].policy).Statement :
    s.Resource == "arn:aws:s3:::orders-history-1/orders/*" if contains(flatten([s.Action]), "s3:PutObject")])
    error_message = "It writes below its prefix."
  }
  assert {
    condition = alltrue([for s in jsondecode(aws_iam_role_policy.node["replay"].policy).Statement :
    endswith(s.Resource, "/orders/probe/*") if contains(flatten([s.Action]), "s3:PutObject")])
    error_message = "A replay broker writes what tries the store, nothing else."
  }
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.node["controller"].policy).Statement : s
      if startswith(flatten([s.Action])[0], "s3:") && strcontains(jsonencode(s.Resource), "history")] == [
      { Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::orders-history-1/controllers/*" }
    ]
    error_message = "A controller writes and reads its claim, and no history."
  }
  assert {
    condition = alltrue([for kind in ["broker", "replay", "controller"] : alltrue([for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement :
    s.Resource != "*" || contains(["autoscaling:DescribeAutoScalingGroups", "cloudwatch:PutMetricData", "ssm:UpdateInstanceInformation"], flatten([s.Action])[0])])])
    error_message = "Nothing on all resources but what knows none."
  }
}

run "without_session_manager" {
  command = plan
  variables {
    session_manager = false
  }

  assert {
    condition = !anytrue([for kind in ["broker", "replay", "controller"] : anytrue([for action in flatten([for s in
    jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s.Action]) : startswith(action, "ssm")])])
    error_message = "Nobody logs in."
  }
}

run "with_a_key_and_secrets" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
    distribution = {
      url         = "s3://releases/strandline.tar.gz"
      sha256      = "0000000000000000000000000000000000000000000000000000000000000000"
      kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/2"
    }
    secrets = {
      broker     = { "admin.properties" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin-1" }
      controller = { "controller.pem" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:controller-1" }
    }
    secrets_kms_key_arns = ["arn:aws:kms:eu-central-1:123456789012:key/3"]
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.history.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && one(aws_s3_bucket_server_side_encryption_configuration.history.rule).bucket_key_enabled
    error_message = "By the key, with a bucket key."
  }
  assert {
    condition = alltrue([for kind in ["broker", "replay", "controller"] : contains(
    flatten([for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s.Action if s.Resource == "arn:aws:kms:eu-central-1:123456789012:key/1"]), "kms:GenerateDataKey")])
    error_message = "All who write may use it."
  }
  assert {
    condition = alltrue([for kind in ["broker", "replay", "controller"] : one(
      [for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s if s.Resource == "arn:aws:kms:eu-central-1:123456789012:key/2"]
    ) == { Effect = "Allow", Action = ["kms:Decrypt"], Resource = "arn:aws:kms:eu-central-1:123456789012:key/2", Condition = { StringEquals = { "kms:ViaService" = ["s3.eu-central-1.amazonaws.com"] } } }])
    error_message = "All fetch the distribution, through S3 alone where a key encrypts it."
  }
  assert {
    condition = alltrue([for kind, count in { broker = 1, replay = 0, controller = 1 } : count == length(
      [for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s if try(s.Resource == ["arn:aws:kms:eu-central-1:123456789012:key/3"]
    && s.Action == ["kms:Decrypt"] && s.Condition.StringEquals["kms:ViaService"] == ["secretsmanager.eu-central-1.amazonaws.com"], false)])])
    error_message = "Secrets' keys are used by those who have secrets, through Secrets Manager alone."
  }
  assert {
    condition = [for kind in ["broker", "replay", "controller"] : flatten([for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s.Resource
      if contains(flatten([s.Action]), "secretsmanager:GetSecretValue")])] == [
      ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin-1"], [], ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:controller-1"],
    ]
    error_message = "Each role reads its own secrets."
  }
  assert {
    condition     = contains(keys(aws_vpc_endpoint.service), "secretsmanager") && startswith(module.broker.environment.SECRETS, "admin.properties=arn:aws:secretsmanager") && module.replay.environment.SECRETS == ""
    error_message = "Secrets are fetched at boot, by name and role."
  }
}

run "alarms_for_what_nobody_leads" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.node["partitions-offline"].metric_name == "OfflinePartitions" && aws_cloudwatch_metric_alarm.node["partitions-offline"].dimensions.Role == "controller"
    error_message = "Controllers know of partitions without a leader."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.node["disk-offline"].metric_name == "OfflineLogDirectories" && aws_cloudwatch_metric_alarm.node["disk-offline"].dimensions.Role == "broker"
    error_message = "And brokers of disks that failed."
  }
  assert {
    condition = { for name in ["disk-full", "no-quorum", "tier-behind", "under-replicated"] : name => "${aws_cloudwatch_metric_alarm.node[name].datapoints_to_alarm} of ${aws_cloudwatch_metric_alarm.node[name].evaluation_periods}" } == {
      disk-full = "1 of 1", no-quorum = "3 of 3", tier-behind = "4 of 5", under-replicated = "24 of 30"
    }
    error_message = "A minute in which one could not publish does not end an alarm."
  }
}

run "alarms_for_brokers_that_are_not_there" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.brokers_ready[0].metric_name == "UnHealthyHostCount" && aws_cloudwatch_metric_alarm.brokers_ready[0].statistic == "Maximum" && aws_cloudwatch_metric_alarm.brokers_ready[0].threshold == 0
    error_message = "One that is not ready, whichever targets a node of the load balancer counts."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.brokers_ready[0].treat_missing_data == "breaching"
    error_message = "And none."
  }
  assert {
    condition = { for id, alarm in aws_cloudwatch_metric_alarm.broker_machine : id => "${alarm.dimensions.AutoScalingGroupName} ${alarm.metric_name} ${alarm.comparison_operator} ${alarm.threshold}" } == {
      for id in ["1", "2", "3"] : id => "orders-broker-${id} GroupInServiceInstances LessThanThreshold 1"
    }
    error_message = "And each that has no instance, of which the load balancer knows nothing."
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.broker : one(group.enabled_metrics) == "GroupInServiceInstances"])
    error_message = "Groups tell nothing of themselves unless asked."
  }
}

run "history_of_other_clusters_is_read" {
  command = plan
  variables {
    mount_bucket_arns  = ["arn:aws:s3:::old-history", "arn:aws:s3:::old-history"]
    mount_kms_key_arns = ["arn:aws:kms:eu-central-1:210987654321:key/9"]
  }

  assert {
    condition = { for kind in ["broker", "replay", "controller"] : kind => flatten([for s in jsondecode(aws_iam_role_policy.node[kind].policy).Statement : s.Action
      if strcontains(jsonencode(s.Resource), "old-history") || strcontains(jsonencode(s.Resource), "key/9")]) } == {
      broker = ["s3:ListBucket", "s3:GetObject", "kms:Decrypt"], replay = ["s3:ListBucket", "s3:GetObject", "kms:Decrypt"], controller = []
    }
    error_message = "By brokers of both kinds, and nothing but read."
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.node["broker"].policy).Statement : contains(flatten([s.Condition.StringEquals["kms:ViaService"]]), "s3.eu-central-1.amazonaws.com") if strcontains(jsonencode(s.Resource), "key/9")])
    error_message = "S3 asks in the key's own region."
  }
  assert {
    condition = { for s in jsondecode(aws_vpc_endpoint.s3[0].policy).Statement : join(",", flatten([s.Action])) => jsonencode(s.Resource) if strcontains(jsonencode(s.Resource), "old-history") } == {
      "s3:ListBucket" = jsonencode(["arn:aws:s3:::old-history"]), "s3:GetObject" = jsonencode(["arn:aws:s3:::old-history/*"])
    }
    error_message = "The way there is open too, for the same."
  }
}

run "not_without_being_asked" {
  command = plan

  assert {
    condition     = length(jsondecode(aws_vpc_endpoint.s3[0].policy).Statement) == 1
    error_message = "No other bucket."
  }
}

run "replay_brokers_that_go_reach_the_others" {
  command = plan
  variables {
    client_cidrs              = ["10.0.0.0/8", "10.0.0.0/8"]
    client_security_group_ids = ["sg-1", "sg-1"]
    monitoring_cidrs          = ["10.1.0.0/16", "10.1.0.0/16"]
  }

  assert {
    condition     = toset([for name, rule in aws_vpc_security_group_ingress_rule.nodes : rule.from_port if startswith(name, "nodes-")]) == toset([9091, 9093, 9094])
    error_message = "At the listener by which others know of them."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.nodes.from_port == 9091 && aws_vpc_security_group_egress_rule.nodes.to_port == 9094
    error_message = "And out."
  }
  assert {
    condition = toset(keys(aws_vpc_security_group_ingress_rule.bootstrap)) == toset([
    "10.0.0.0/8-clients", "10.0.0.0/8-replay", "group-0-clients", "group-0-replay"])
    error_message = "Clients come by the load balancer, nodes do not; what is named twice is one."
  }
}

# Each a way in which types do not fit: the other architecture, and no disk of its own. Those of replay brokers are looked
# at once those of brokers are right.
run "x86_types_on_arm_are_refused" {
  command = plan
  variables {
    controllers = { instance_type = "m7i-flex.large" }
    brokers     = { instance_type = "i4i.large" }
  }
  expect_failures = [var.controllers, var.brokers]
}

run "an_x86_type_for_replay_on_arm_is_refused" {
  command = plan
  variables {
    replay = { instance_types = ["i4g.large", "i7ie.large"] }
  }
  expect_failures = [var.replay]
}

run "arm_types_on_x86_are_refused" {
  command = plan
  variables {
    architecture = "x86_64"
    controllers  = { instance_type = "t4g.medium" }
    brokers      = { instance_type = "im4gn.large" }
  }
  expect_failures = [var.controllers, var.brokers]
}

run "a_type_without_a_disk_is_refused" {
  command = plan
  variables {
    brokers = { instance_type = "m7g.large" }
  }
  expect_failures = [var.brokers]
}

run "a_type_without_a_disk_for_replay_is_refused" {
  command = plan
  variables {
    replay = { instance_types = ["r6gd.large", "r6g.large"] }
  }
  expect_failures = [var.replay]
}

run "half_a_replay_broker_is_refused" {
  command = plan
  variables {
    replay = { max = 1.5 }
    alarms = { tier_lag_seconds = 0 }
  }
  expect_failures = [var.replay, var.alarms]
}

run "names_that_are_none_are_refused" {
  command = plan
  variables {
    vpc                       = { id = "mine", subnets = { "a" = "subnet-a" }, route_table_ids = ["main"] }
    client_security_group_ids = ["clients"]
    dns                       = { zone_id = "kafka.example.org", domain = "kafka.example.org" }
    ami_id                    = "newest"
    secrets                   = { broker = { "../x" = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" } }
    secrets_kms_key_arns      = ["alias/mine"]
    dns_cidrs                 = ["10.0.0.2"]
    alarms                    = { topic_arns = ["me@example.org"] }
    tags                      = { "team/name" = "x" }
  }
  expect_failures = [var.vpc, var.client_security_group_ids, var.dns, var.ami_id, var.secrets, var.secrets_kms_key_arns, var.dns_cidrs, var.alarms, var.tags]
}

run "secrets_of_no_role_are_refused" {
  command = plan
  variables {
    secrets = { all = {} }
  }
  expect_failures = [var.secrets]
}

run "what_can_not_be_is_refused" {
  command = plan
  variables {
    name         = "Orders!"
    zones        = []
    client_cidrs = ["0.0.0.0/0"]
    brokers      = { count = 2 }
    kms_key_arn  = "alias/mine"
    distribution = { url = "https://example.org/s.tar.gz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  }
  expect_failures = [var.name, var.zones, var.client_cidrs, var.brokers, var.kms_key_arn, var.distribution]
}

run "half_a_gib_is_refused" {
  command = plan
  variables {
    controllers = { volume_gib = 8.5 }
  }
  expect_failures = [var.controllers]
}

run "the_whole_internet_is_refused" {
  command = plan
  variables {
    client_cidrs     = ["1.2.3.4/0"]
    monitoring_cidrs = ["0.0.0.0/1"]
  }
  expect_failures = [var.client_cidrs, var.monitoring_cidrs]
}

run "objects_are_no_buckets" {
  command = plan
  variables {
    mount_bucket_arns  = ["arn:aws:s3:::old-history/*"]
    mount_kms_key_arns = ["alias/mine"]
  }
  expect_failures = [var.mount_bucket_arns, var.mount_kms_key_arns]
}
