# A role for each kind of node, with the calls it makes and no other.

locals {
  distribution_arns = startswith(var.distribution.url, "s3://") ? ["arn:${local.partition}:s3:::${trimprefix(var.distribution.url, "s3://")}"] : []
  groups_arn        = "arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/${var.name}-*"
  history_arn       = "${aws_s3_bucket.history.arn}/${local.prefix}"

  # Without a condition on the prefix: a HEAD of a key that is not there carries none, and would be answered 403 for 404,
  # which the broker takes for a refusal.
  list = [{
    Effect   = "Allow"
    Action   = ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
    Resource = aws_s3_bucket.history.arn
  }]
  # S3 asks for the rights of a key in the name of whoever asks S3. Completing an upload in parts decrypts.
  encrypt = var.kms_key_arn == null ? [] : [{
    Effect    = "Allow"
    Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
    Resource  = var.kms_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
  }]
  # What every node does as an instance.
  instance = concat(
    length(local.distribution_arns) == 0 ? [] : [{
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = local.distribution_arns
    }],
    length(var.secrets) == 0 ? [] : [{
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = values(var.secrets)
    }],
    var.alarms == null ? [] : [{
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = "*"
      Condition = { StringEquals = { "cloudwatch:namespace" = "Strandline" } }
    }],
  )
  # What one does whose group waits for it.
  let_go = [
    {
      Effect   = "Allow"
      Action   = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
      Resource = local.groups_arn
    },
    {
      # Knows no resources.
      Effect   = "Allow"
      Action   = ["autoscaling:DescribeAutoScalingGroups"]
      Resource = "*"
    },
  ]

  statements = {
    broker = concat(local.list, local.encrypt, local.instance, local.let_go, [{
      # PutObject is every upload, conditional or in parts; If-Match asks for GetObject too.
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = "${local.history_arn}/*"
    }])
    replay = concat(local.list, local.encrypt, local.instance, local.let_go, [
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
    controller = concat(local.encrypt, local.instance, [{
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

resource "aws_iam_role_policy_attachment" "session_manager" {
  for_each   = var.session_manager ? toset(["broker", "replay", "controller"]) : toset([])
  role       = aws_iam_role.node[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "node" {
  for_each    = local.statements
  name_prefix = "${var.name}-${each.key}-"
  role        = aws_iam_role.node[each.key].name
  tags        = local.tags
}
