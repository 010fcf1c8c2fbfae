package accesslog

// The built-in formats, as log-format strings (manual 8.2).
const (
	// FormatTCP is "option tcplog".
	FormatTCP = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq"

	// FormatHTTP is "option httplog".
	FormatHTTP = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc " +
		"%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"

	// FormatCLF is "option httplog clf".
	FormatCLF = "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc " +
		"%ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"

	// FormatHTTPS is "option httpslog".
	FormatHTTPS = FormatHTTP + " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] " +
		"%[ssl_fc_sni]/%sslv/%sslc"

	// FormatDefault is the line of a frontend without any of these.
	FormatDefault = "Connect from %ci:%cp to %fi:%fp (%f/%wmode)"

	// FormatConnError is the line of a connection that failed before a session
	// began (manual 8.2.5), where there is no error-log-format.
	FormatConnError = "%ci:%cp [%t] %f/%wbind: %[fc_err_str]"
)
