pidfile = "@DIR@/pid"
data_path = "@DIR@/data"
run_as_root = false
interfaces = { "127.0.0.1" }
c2s_ports = { @C2S@ }
s2s_ports = { @S2S@ }
modules_enabled = { "tls", "saslauth", "disco", "dialback" }
c2s_require_encryption = true
log = { info = "@DIR@/log" }
VirtualHost "localhost"
  ssl = { key = "@DIR@/key.pem", certificate = "@DIR@/cert.pem" }
-- The certificate is not for this one.
VirtualHost "other.test"
  ssl = { key = "@DIR@/key.pem", certificate = "@DIR@/cert.pem" }
