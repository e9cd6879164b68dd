# A role for each kind of node, with the calls it makes and no other.

locals {
  distribution_arns = startswith(var.distribution.url, "s3://") ? ["arn:${local.partition}:s3:::${trimprefix(var.distribution.url, "s3://")}"] : []
  # By kind. Brokers have up to three digits: what is longer is another cluster's, whose name begins with this one's.
  groups = { for kind, names in { broker = ["broker-?", "broker-??", "broker-???"], replay = ["replay"] } : kind => [for name in names :
    "arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${var.name}-${name}"
  ] }
  history_arn = "${aws_s3_bucket.history.arn}/${local.prefix}"

  # Without a condition on the prefix: a HEAD of a key that is not there carries none, and would be answered 403 for 404,
  # which the broker takes for a refusal.
  list = [{
    Effect   = "Allow"
    Action   = ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
    Resource = aws_s3_bucket.history.arn
  }]
  # Of other clusters' history what a mount or a restore calls: GET, HEAD and LIST.
  mounts = length(var.mount_bucket_arns) == 0 ? [] : [
    {
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = distinct(var.mount_bucket_arns)
    },
    {
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for arn in distinct(var.mount_bucket_arns) : "${arn}/*"]
    },
  ]
  decrypt = length(var.mount_kms_key_arns) == 0 ? [] : [{
    Effect    = "Allow"
    Action    = ["kms:Decrypt"]
    Resource  = distinct(var.mount_kms_key_arns)
    Condition = { StringEquals = { "kms:ViaService" = distinct(flatten([for region in [for arn in var.mount_kms_key_arns : split(":", arn)[3]] : ["s3.${region}.amazonaws.com", "s3.${region}.${local.dns_suffix}"]])) } }
  }]
  # S3 asks for the rights of a key in the name of whoever asks S3. Completing an upload in parts decrypts.
  encrypt = var.kms_key_arn == null ? [] : [{
    Effect    = "Allow"
    Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
    Resource  = var.kms_key_arn
    Condition = local.via_s3
  }]
  via_s3  = { StringEquals = { "kms:ViaService" = distinct(["s3.${local.region}.amazonaws.com", "s3.${local.region}.${local.dns_suffix}"]) } }
  secrets = { for kind in ["controller", "broker", "replay"] : kind => lookup(var.secrets, kind, {}) }
  # What every node does as an instance.
  instance = { for kind, secrets in local.secrets : kind => concat(
    length(local.distribution_arns) == 0 ? [] : [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = local.distribution_arns
    }],
    var.distribution.kms_key_arn == null ? [] : [{
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.distribution.kms_key_arn
      Condition = local.via_s3
    }],
    length(secrets) == 0 ? [] : [{
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = values(secrets)
    }],
    length(secrets) == 0 || length(var.secrets_kms_key_arns) == 0 ? [] : [{
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.secrets_kms_key_arns
      Condition = { StringEquals = { "kms:ViaService" = distinct(["secretsmanager.${local.region}.amazonaws.com", "secretsmanager.${local.region}.${local.dns_suffix}"]) } }
    }],
    var.alarms == null ? [] : [{
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = "*"
      Condition = { StringEquals = { "cloudwatch:namespace" = "Strandline" } }
    }],
    # Of Session Manager's, to be found and to open a session, and no more: the policy that AWS keeps for it reads every
    # parameter of the account too. They know no resources.
    !var.session_manager ? [] : [{
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }],
  ) }
  # What one does whose group waits for it.
  let_go = { for kind, groups in local.groups : kind => [
    {
      Effect   = "Allow"
      Action   = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
      Resource = groups
    },
    {
      # Knows no resources.
      Effect   = "Allow"
      Action   = ["autoscaling:DescribeAutoScalingGroups"]
      Resource = "*"
    },
  ] }

  statements = {
    broker = concat(local.list, local.encrypt, local.mounts, local.decrypt, local.instance.broker, local.let_go.broker, [{
      # PutObject is every upload, conditional or in parts; If-Match asks for GetObject too.
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = "${local.history_arn}/*"
    }])
    replay = concat(local.list, local.encrypt, local.mounts, local.decrypt, local.instance.replay, local.let_go.replay, [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = "${local.history_arn}/*"
      },
      {
        # Each broker tries the store when it starts, under names of its own.
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:DeleteObject"]
        Resource = "${local.history_arn}/probe/*"
      },
    ])
    controller = concat(local.encrypt, local.instance.controller, [{
      # That it was formatted once; created, never replaced, and read to tell its own from its former self's.
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "${aws_s3_bucket.history.arn}/controllers/*"
    }])
  }
}

resource "aws_iam_role" "node" {
  for_each    = local.statements
  name_prefix = "${var.name}-${each.key}-"
  description = "Strandline cluster ${var.name}: ${each.key}"
  tags        = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "node" {
  for_each = local.statements
  name     = "strandline"
  role     = aws_iam_role.node[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_instance_profile" "node" {
  for_each    = local.statements
  name_prefix = "${var.name}-${each.key}-"
  role        = aws_iam_role.node[each.key].name
  tags        = local.tags
}
