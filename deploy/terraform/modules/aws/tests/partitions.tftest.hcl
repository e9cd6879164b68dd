# In a partition whose names are others.
mock_provider "aws" {
  source = "./tests/mocks"

  override_data {
    target = data.aws_partition.here
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn", reverse_dns_prefix = "cn.com.amazonaws" }
  }
  override_data {
    target = data.aws_region.here
    values = { region = "cn-north-1" }
  }
}

variables {
  name         = "orders"
  kms_key_arn  = "arn:aws-cn:kms:cn-north-1:123456789012:key/1"
  distribution = { url = "https://example.org/s.tar.gz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  vpc          = { id = "vpc-1", subnets = { "cn-north-1a" = "subnet-a" }, route_table_ids = [] }
}

run "with_a_vpc_of_its_own" {
  command = plan
  variables {
    vpc          = null
    zones        = ["cn-north-1a"]
    distribution = { url = "s3://releases/strandline.tar.gz", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
  }
  expect_failures = [aws_vpc.own]
}

run "in_china" {
  assert {
    condition     = startswith(module.controller["101"].environment.CLAIMS_URL, "https://orders-history-1.s3.cn-north-1.amazonaws.com.cn/controllers/")
    error_message = "The bucket's own name there."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.node["broker"].policy, "s3.cn-north-1.amazonaws.com.cn")
    error_message = "And the key service's for it."
  }
}
