variables {
  cluster      = "orders"
  cluster_id   = "YQcmKIsMQ56fnvkMuoVf-w"
  role         = "broker"
  node_id      = "1"
  address      = "10.0.0.1"
  rack         = "a"
  region       = "eu-central-1"
  object_store = "s3://bucket/orders?region=eu-central-1"
  controllers  = { "101" = "10.0.0.101", "102" = "10.0.0.102", "103" = "10.0.0.103" }
  distribution = {
    url    = "https://example.org/strandline.tar.gz"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "a_broker" {
  command = plan

  assert {
    condition     = output.settings["process.roles"] == "broker" && output.settings["node.id"] == "@NODE_ID@"
    error_message = "A broker whose id comes later."
  }
  assert {
    condition     = output.settings["log.local.retention.ms"] == "3600000"
    error_message = "Disks keep an hour of what the bucket has, as the distribution's example."
  }
  assert {
    condition     = output.settings["controller.quorum.bootstrap.servers"] == "10.0.0.101:9093,10.0.0.102:9093,10.0.0.103:9093"
    error_message = "It knows all controllers."
  }
  assert {
    condition     = output.environment.OWN_PORT == 9091
    error_message = "Its end is asked for where brokers talk to each other."
  }
  assert {
    condition     = output.environment.VOTERS == "" && output.environment.CLAIMS_URL == ""
    error_message = "Voters are the controllers' business."
  }
  assert {
    condition     = startswith(output.user_data, "#!/bin/bash\n") && strcontains(output.user_data, "/usr/local/sbin/strandline-node boot")
    error_message = "A script that cloud-init knows by its first line."
  }
}

run "a_controller" {
  command = plan
  variables {
    role       = "controller"
    node_id    = "101"
    claims_url = "https://bucket.example.org/controllers"
  }

  assert {
    condition     = output.settings["controller.quorum.auto.join.enable"] == "true" && !contains(keys(output.settings), "strandline.object.store")
    error_message = "A controller asks no store, and votes again by itself."
  }
  assert {
    condition     = output.settings["listeners"] == "CONTROLLER://0.0.0.0:9093" && output.settings["advertised.listeners"] == "CONTROLLER://@ADDRESS@:9093"
    error_message = "It listens on all addresses, whatever its own name leads to."
  }
  assert {
    condition     = length(regexall("10[123]@10\\.0\\.0\\.10[123]:9093:[A-Za-z0-9]{22}", output.environment.VOTERS)) == 3
    error_message = "Three voters with a directory each."
  }
}

run "a_replay_broker" {
  command = plan
  variables {
    role               = "replay"
    node_id            = "address"
    cache_memory_bytes = 4294967296
    settings           = { "strandline.log.level" = "debug" }
  }

  assert {
    condition     = output.settings["strandline.replay.broker"] == "true" && output.settings["listeners"] == "REPLAY://0.0.0.0:9094"
    error_message = "It serves replay and nothing else."
  }
  assert {
    condition     = output.environment.OWN_PORT == 9094
    error_message = "Its end is asked for at the one listener that it has, by which others know it."
  }
  assert {
    condition     = output.environment.DIRECT_MB == 6144
    error_message = "Direct memory follows the cache."
  }
  assert {
    condition     = output.settings["strandline.log.level"] == "debug"
    error_message = "Settings go over the module's own."
  }
}

run "what_can_not_be_is_refused" {
  command = plan
  variables {
    role         = "leader"
    node_id      = "one"
    disk         = "sda"
    heap         = "much"
    rack         = "a'b"
    java_options = "\"x"
    settings     = { "a" = "b\nc" }
    controllers  = { "101" = "10.0.0.101", "102" = "10.0.0.102" }
    distribution = { url = "https://example.org/x.tar.gz", sha256 = "" }
    cluster_id   = "a'; reboot; '"
    region       = "eu'1"
    claims_url   = "https://x/'y"
    packages     = { dnf = ["a b"], apt = ["a||b"] }
  }
  expect_failures = [
    var.role, var.node_id, var.disk, var.heap, var.rack, var.java_options, var.settings, var.controllers, var.distribution,
    var.cluster_id, var.region, var.claims_url, var.packages,
  ]
}

run "a_directory_of_ones_own_is_refused" {
  command = plan
  variables {
    settings = { "log.dirs" = "/data" }
  }
  expect_failures = [var.settings]
}

run "listeners_of_ones_own_are_refused" {
  command = plan
  variables {
    settings = { "listeners" = "CLIENTS://0.0.0.0:9095" }
  }
  expect_failures = [var.settings]
}

run "another_role_is_refused" {
  command = plan
  variables {
    settings = { "strandline.replay.broker" = "true" }
  }
  expect_failures = [var.settings]
}

run "a_key_by_another_spelling_is_refused" {
  command = plan
  variables {
    settings = { "log.dirs " = "/data" }
  }
  expect_failures = [var.settings]
}

run "a_value_that_goes_on_is_refused" {
  command = plan
  variables {
    settings = { "client.quota.callback.class" = "a\\" }
  }
  expect_failures = [var.settings]
}

run "a_host_without_an_address_is_refused" {
  command = plan
  variables {
    address = ""
  }
  expect_failures = [var.address]
}

run "a_controller_without_an_address_is_refused" {
  command = plan
  variables {
    controllers = { "101" = "" }
  }
  expect_failures = [var.controllers]
}
