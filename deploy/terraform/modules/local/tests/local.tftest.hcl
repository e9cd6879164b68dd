# Plans alone: an apply starts processes. LocalModuleTest applies it.
variables {
  distribution = "./tests/distribution"
  directory    = "/nonexistent/strandline"
}

run "three_brokers" {
  command = plan

  assert {
    condition     = output.bootstrap_servers == "127.0.0.1:19092,127.0.0.1:19094,127.0.0.1:19096"
    error_message = "Two ports a node."
  }
  assert {
    condition     = length(terraform_data.broker) == 3 && length(terraform_data.controller) == 1
    error_message = "Three brokers, one controller."
  }
  assert {
    condition     = can(regex("^[A-Za-z0-9]{22}$", output.cluster_id)) && output.object_store == "file:/nonexistent/strandline/objects"
    error_message = "An id and a store that follow from the directory."
  }
  assert {
    condition     = tostring(local.nodes["1"]["default.replication.factor"]) == "3" && tostring(local.nodes["1"]["min.insync.replicas"]) == "2"
    error_message = "Three replicas, two in sync."
  }
}

run "one_broker_three_controllers" {
  command = plan
  variables {
    brokers     = 1
    controllers = 3
    settings    = { "default.replication.factor" = "1", "log.retention.hours" = "1" }
  }

  assert {
    condition     = tostring(local.nodes["1"]["offsets.topic.replication.factor"]) == "1" && local.nodes["101"]["log.retention.hours"] == "1"
    error_message = "As many replicas as brokers; settings for all."
  }
  assert {
    condition     = length(regexall("@127.0.0.1:", local.voters)) == 3
    error_message = "Three voters."
  }
}

run "what_can_not_be_is_refused" {
  command = plan
  variables {
    distribution = "./nowhere"
    directory    = "relative"
    brokers      = 0
    controllers  = 2
    first_port   = 80
    heap         = "all"
    settings     = { "node.id" = "1" }
    object_store = "somewhere"
  }
  expect_failures = [
    var.distribution, var.directory, var.brokers, var.controllers, var.first_port, var.heap, var.settings, var.object_store,
  ]
}
