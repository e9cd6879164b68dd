# What nodes publish of themselves, at least once a minute (strandline-node), and what AWS sees from outside.

locals {
  minutes = var.alarms == null ? {} : {
    under-min-isr       = { role = "broker", metric = "UnderMinIsrPartitions", above = 0, minutes = 3, missing = "breaching", text = "Partitions have fewer replicas in sync than min.insync.replicas: acks=all is refused. Or no broker says anything." }
    partitions-offline  = { role = "controller", metric = "OfflinePartitions", above = 0, minutes = 3, missing = "notBreaching", text = "Partitions have no leader: nobody writes to them, and nobody reads." }
    disk-offline        = { role = "broker", metric = "OfflineLogDirectories", above = 0, minutes = 1, missing = "notBreaching", text = "A broker's log directory failed: terminate its instance, and another comes with another disk." }
    under-replicated    = { role = "broker", metric = "UnderReplicatedPartitions", above = 0, minutes = 30, missing = "notBreaching", text = "Partitions lack a replica for half an hour: a broker does not come back, or does not catch up." }
    tier-behind         = { role = "broker", metric = "TierLagAgeSeconds", above = var.alarms.tier_lag_seconds, minutes = 5, missing = "notBreaching", text = "Sealed segments wait for the bucket: local disks fill up." }
    store-away          = { role = "broker", metric = "StoreAway", above = 0, minutes = 5, missing = "notBreaching", text = "The bucket does not answer, or refuses." }
    disk-full           = { role = "broker", metric = "DiskState", above = 1, minutes = 1, missing = "notBreaching", text = "A disk is full but for its reserve: producers are refused." }
    history-damaged     = { role = "broker", metric = "ScrubFindings", above = 0, minutes = 1, missing = "notBreaching", text = "Places in the bucket are known to be damaged." }
    metadata-backup-old = { role = "broker", metric = "MetadataBackupBehindMs", above = 600000, minutes = 5, missing = "notBreaching", text = "The metadata was not backed up for ten minutes." }
    no-quorum           = { role = "controller", metric = "QuorumLeaderUnknown", above = 0, minutes = 3, missing = "breaching", text = "A controller knows no active one, or nothing was committed. Or none says anything." }
  }
}

resource "aws_cloudwatch_metric_alarm" "node" {
  for_each            = local.minutes
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = "Strandline"
  metric_name         = each.value.metric
  dimensions          = { Cluster = var.name, Role = each.value.role }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  period              = 60
  evaluation_periods  = each.value.minutes
  # One that could not be published is no reason to fall silent.
  datapoints_to_alarm = ceil(0.8 * each.value.minutes)
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}

# Of those that are there. Each of the load balancer's nodes counts the targets it sends to, which may be all or those of its
# own zone: how many are healthy is compared with no number of brokers, that one is not says the same either way.
resource "aws_cloudwatch_metric_alarm" "brokers_ready" {
  count               = var.alarms == null ? 0 : 1
  alarm_name          = "${var.name}-brokers-not-ready"
  alarm_description   = "A broker is not ready. Or none is there."
  namespace           = "AWS/NetworkELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.bootstrap.arn_suffix, TargetGroup = aws_lb_target_group.bootstrap["clients"].arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}

# Of one whose instance is gone the load balancer knows nothing: its group does.
resource "aws_cloudwatch_metric_alarm" "broker_machine" {
  for_each            = var.alarms == null ? {} : aws_autoscaling_group.broker
  alarm_name          = "${var.name}-broker-${each.key}"
  alarm_description   = "Broker ${each.key} has no instance. Its group's activities say why none comes."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  dimensions          = { AutoScalingGroupName = each.value.name }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 12
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "controller_machine" {
  for_each            = var.alarms == null ? {} : aws_instance.controller
  alarm_name          = "${var.name}-controller-${each.key}"
  alarm_description   = "The machine of controller ${each.key} fails its checks. If it does not come back: terraform apply -replace of its instance."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = each.value.id }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = local.tags
}
