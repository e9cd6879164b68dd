variables {
  name       = "orders"
  cluster_id = "YQcmKIsMQ56fnvkMuoVf-w"
  hosts = {
    "1"    = { role = "broker", address = "b1.example.org", rack = "r1", disk = "/dev/disk/by-id/nvme-one" }
    "2"    = { role = "broker", address = "b2.example.org", rack = "r2" }
    "3"    = { role = "broker", address = "b3.example.org", rack = "r3" }
    "101"  = { role = "controller", address = "c1.example.org" }
    "102"  = { role = "controller", address = "c2.example.org" }
    "103"  = { role = "controller", address = "c3.example.org" }
    "1001" = { role = "replay", address = "r1.example.org" }
  }
  object_store = { endpoint = "https://minio.example.org:9000", bucket = "history" }
  distribution = {
    url    = "https://example.org/strandline.tar.gz"
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "hosts_become_nodes" {
  command = plan

  assert {
    condition     = output.object_store == "s3://history/orders?endpoint=https://minio.example.org:9000&pathStyle=true&region=us-east-1"
    error_message = "The store as the broker takes it."
  }
  assert {
    condition     = length(output.user_data) == 7 && length(distinct(values(output.user_data))) == 7
    error_message = "A script for each host."
  }
  assert {
    condition     = output.settings["101"]["process.roles"] == "controller" && output.settings["1001"]["strandline.replay.broker"] == "true"
    error_message = "Each its role."
  }
  assert {
    condition     = output.bootstrap_servers == "b1.example.org:9092,b2.example.org:9092,b3.example.org:9092" && output.replay_bootstrap_servers == "r1.example.org:9094"
    error_message = "Where clients begin."
  }
  assert {
    condition     = module.node["101"].environment.CLAIMS_URL == "https://minio.example.org:9000/history/controllers/YQcmKIsMQ56fnvkMuoVf-w"
    error_message = "Controllers' claims lie in the bucket, beside the prefix."
  }
  assert {
    condition     = module.node["1"].environment.DISK == "/dev/disk/by-id/nvme-one" && module.node["1"].environment.CREDENTIALS == "/etc/strandline/credentials"
    error_message = "A disk of its own, and a key that comes by another way."
  }
  assert {
    condition     = startswith(module.node["1"].environment.PACKAGES_DNF, "java-21-openjdk-headless|") && startswith(module.node["1"].environment.PACKAGES_APT, "openjdk-21-jre-headless|")
    error_message = "Java as these systems call it."
  }
}

run "bucket_in_the_host_name" {
  command = plan
  variables {
    object_store = { endpoint = "https://s3.example.org", bucket = "history", path_style = false, prefix = "a/b" }
  }

  assert {
    condition     = startswith(module.node["101"].environment.CLAIMS_URL, "https://history.s3.example.org/controllers/")
    error_message = "Virtual-hosted."
  }
}

run "packages_of_a_system_of_ones_own" {
  command = plan
  variables {
    packages = { dnf = ["temurin-21-jre", "xfsprogs"] }
  }

  assert {
    condition     = module.node["1"].environment.PACKAGES_DNF == "temurin-21-jre xfsprogs" && strcontains(module.node["1"].environment.PACKAGES_APT, "openjdk")
    error_message = "Those named, the others as they were."
  }
}

run "what_would_be_quoted_is_refused" {
  command = plan
  variables {
    object_store = { endpoint = "https://minio.example.org:9000", bucket = "history", options = { "x" = "a&b=c" } }
    memory       = { broker = { heap = "4 GB" } }
    packages     = { apt = ["x; reboot"] }
  }
  expect_failures = [var.object_store, var.memory, var.packages]
}

run "two_controllers_are_refused" {
  command = plan
  variables {
    hosts = {
      "1"   = { role = "broker", address = "b1.example.org" }
      "2"   = { role = "broker", address = "b2.example.org" }
      "101" = { role = "controller", address = "c1.example.org" }
      "102" = { role = "controller", address = "c1.example.org" }
    }
  }
  expect_failures = [var.hosts]
}

run "a_wrong_store_is_refused" {
  command = plan
  variables {
    object_store = { endpoint = "minio:9000/x", bucket = "history" }
    distribution = { url = "s3://x/y", sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
    cluster_id   = "short"
  }
  expect_failures = [var.object_store, var.distribution, var.cluster_id]
}

run "a_host_without_an_address_is_refused" {
  command = plan
  variables {
    hosts = {
      "1"   = { role = "broker", address = "b1.example.org" }
      "2"   = { role = "broker", address = "b2.example.org" }
      "3"   = { role = "broker", address = "" }
      "101" = { role = "controller", address = "c1.example.org" }
    }
  }
  expect_failures = [var.hosts]
}
