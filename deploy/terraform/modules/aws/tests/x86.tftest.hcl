# From the start: the type of a controller that is there does not change with the architecture.
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

run "x86_has_types_of_its_own" {
  variables {
    architecture = "x86_64"
    replay       = { count = 1, instance_types = ["i4i.large", "m6id.large", "i3en.xlarge"] }
    tags         = { "cost-center" = "a b/c" }
  }

  assert {
    condition     = aws_launch_template.node["broker"].instance_type == "i4i.large" && aws_instance.controller["101"].instance_type == "t3.medium"
    error_message = "Types of the architecture, where none is named."
  }
  assert {
    condition     = aws_launch_template.node["replay"].instance_type == "i4i.large"
    error_message = "The first of those named."
  }
  assert {
    condition     = output.replay_bootstrap_servers == "orders.elb.example.org:9094"
    error_message = "Replay brokers have a port of their own."
  }
}
