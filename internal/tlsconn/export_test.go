package tlsconn

// Daily is daily, for tests.
var Daily = daily
