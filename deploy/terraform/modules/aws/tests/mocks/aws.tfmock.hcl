# What AWS would say, for all tests of this module.
mock_data "aws_region" {
  defaults = { region = "eu-central-1" }
}
mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com", reverse_dns_prefix = "com.amazonaws" }
}
mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}
mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "ami-0123456789abcdef0" }
}
mock_resource "aws_s3_bucket" {
  defaults = { bucket = "orders-history-1", arn = "arn:aws:s3:::orders-history-1" }
}
mock_resource "aws_network_interface" {
  defaults = { private_ip = "10.40.0.10" }
}
mock_resource "aws_ebs_volume" {
  defaults = { id = "vol-0123456789abcdef0" }
}
mock_resource "aws_lb" {
  defaults = { dns_name = "orders.elb.example.org" }
}
