package expr

import (
	"fmt"
	"strings"
)

// A fetchRow is one fetch: all that there is to say about it.
type fetchRow struct {
	name  string
	args  string // types of arguments, see argKinds
	out   Kind
	needs need
	looks Look
	one   func(env *Env, a []Arg) (Value, bool)
	// all is for fetches with several values, which an ACL tries one after the
	// other. It gives the value at the cursor and the place of the next one.
	all    func(env *Env, a []Arg, at cursor) (Value, cursor, bool)
	check  func(a []Arg) error // of arguments, beyond their types
	dotted bool                // ACL patterns are written MAJOR.MINOR
	manual string              // section of configuration.txt

	// inResponse names the fetch that this one means in response rules.
	inResponse string
}

// fetchTable lists all fetches. The old names of some stand in fetchAliases, and
// the suffixed forms of ACLs (path_beg) in aclBases.
var fetchTable = []fetchRow{
	// constants
	{name: "always_true", out: KindBool, one: fetchTrue, manual: "7.3.2"},
	{name: "always_false", out: KindBool, one: fetchFalse, manual: "7.3.2"},
	{name: "bool", args: "str", out: KindBool, one: fetchArgBool, check: checkBool, manual: "7.3.2"},
	{name: "int", args: "int", out: KindInt, one: fetchArgInt, manual: "7.3.2"},
	{name: "str", args: "[str]", out: KindStr, one: fetchArgStr, manual: "7.3.2"},
	{name: "bin", args: "hex", out: KindBin, one: fetchArgBin, manual: "7.3.2"},
	{name: "ipv4", args: "ip4", out: KindIP, one: fetchArgIP, manual: "7.3.2"},
	{name: "ipv6", args: "ip6", out: KindIP, one: fetchArgIP, manual: "7.3.2"},
	{name: "meth", args: "str", out: KindMethod, one: fetchArgMethod, manual: "7.3.2"},
	{name: "env", args: "str", out: KindStr, one: fetchEnv, check: checkEnv, manual: "7.3.2"},

	// the process
	{name: "date", args: "[int] [str]", out: KindInt, one: fetchDate, check: checkDate, manual: "7.3.2"},
	{name: "date_us", out: KindInt, one: fetchDateUS, manual: "7.3.2"},
	{name: "hostname", out: KindStr, one: fetchHostname, manual: "7.3.2"},
	{name: "proc", out: KindInt, one: fetchProc, manual: "7.3.2"},
	{name: "rand", args: "[int]", out: KindInt, one: fetchRand, check: checkRand, manual: "7.3.2"},
	{name: "stopping", out: KindBool, needs: needLoad, one: fetchStopping, manual: "7.3.2"},
	{name: "thread", out: KindInt, needs: needLoad, one: fetchThread, manual: "7.3.2"},
	{name: "uuid", args: "[int]", out: KindStr, one: fetchUUID, check: checkUUID, manual: "7.3.2"},
	{name: "var", args: "var [str]", out: KindAny, one: fetchVar, manual: "7.3.2"},

	// state of proxies
	{name: "avg_queue", args: "[backend]", out: KindInt, needs: needLoad, one: fetchAvgQueue, manual: "7.3.2"},
	{name: "be_conn", args: "[backend]", out: KindInt, needs: needLoad, one: fetchBackendConns, manual: "7.3.2"},
	{name: "be_conn_free", args: "[backend]", out: KindInt, needs: needLoad, one: fetchBackendFree, manual: "7.3.2"},
	{name: "be_sess_rate", args: "[backend]", out: KindInt, needs: needLoad, one: fetchBackendRate, manual: "7.3.2"},
	{name: "connslots", args: "[backend]", out: KindInt, needs: needLoad, one: fetchSlots, manual: "7.3.2"},
	{name: "nbsrv", args: "[backend]", out: KindInt, needs: needLoad, one: fetchUsable, manual: "7.3.2"},
	{name: "queue", args: "[backend]", out: KindInt, needs: needLoad, one: fetchQueue, manual: "7.3.2"},
	{name: "fe_conn", args: "[frontend]", out: KindInt, needs: needLoad, one: fetchFrontendConns, manual: "7.3.2"},
	{name: "fe_req_rate", args: "[frontend]", out: KindInt, needs: needLoad, one: fetchRequestRate, manual: "7.3.2"},
	{name: "fe_sess_rate", args: "[frontend]", out: KindInt, needs: needLoad, one: fetchSessionRate, manual: "7.3.2"},
	{name: "srv_conn", args: "server", out: KindInt, needs: needLoad, one: fetchServerConns, manual: "7.3.2"},
	{name: "srv_conn_free", args: "server", out: KindInt, needs: needLoad, one: fetchServerFree, manual: "7.3.2"},
	{name: "srv_is_up", args: "server", out: KindBool, needs: needLoad, one: fetchServerUp, manual: "7.3.2"},
	{name: "srv_queue", args: "server", out: KindInt, needs: needLoad, one: fetchServerQueue, manual: "7.3.2"},
	{name: "srv_sess_rate", args: "server", out: KindInt, needs: needLoad, one: fetchServerRate, manual: "7.3.2"},
	{name: "srv_weight", args: "server", out: KindInt, needs: needLoad, one: fetchServerWeight, manual: "7.3.2"},
	{name: "srv_uweight", args: "server", out: KindInt, needs: needLoad, one: fetchServerUserWeight, manual: "7.3.2"},
	{name: "srv_iweight", args: "server", out: KindInt, needs: needLoad, one: fetchServerInitialWeight, manual: "7.3.2"},

	// layer 4
	{name: "src", out: KindIP, needs: needClient, one: fetchSrc, manual: "7.3.3"},
	{name: "src_port", out: KindInt, needs: needClient, one: fetchSrcPort, manual: "7.3.3"},
	{name: "src_is_local", out: KindBool, needs: needClient, one: fetchSrcLocal, manual: "7.3.3"},
	{name: "dst", out: KindIP, needs: needClient, looks: LookDst, one: fetchDst, manual: "7.3.3"},
	{name: "dst_port", out: KindInt, needs: needClient, looks: LookDst, one: fetchDstPort, manual: "7.3.3"},
	{name: "dst_is_local", out: KindBool, needs: needClient, looks: LookConn, one: fetchDstLocal, manual: "7.3.3"},
	{name: "dst_conn", out: KindInt, needs: needClient, looks: LookBind, one: fetchBindConns, manual: "7.3.3"},
	{name: "fc_src", out: KindIP, needs: needClient, looks: LookConn, one: fetchConnSrc, manual: "7.3.3"},
	{name: "fc_src_port", out: KindInt, needs: needClient, looks: LookConn, one: fetchConnSrcPort, manual: "7.3.3"},
	{name: "fc_dst", out: KindIP, needs: needClient, looks: LookConn, one: fetchConnDst, manual: "7.3.3"},
	{name: "fc_dst_port", out: KindInt, needs: needClient, looks: LookConn, one: fetchConnDstPort, manual: "7.3.3"},
	{name: "fc_err", out: KindInt, needs: needClient, one: fetchConnErr, manual: "7.3.3"},
	{name: "fc_err_str", out: KindStr, needs: needClient, one: fetchConnErrText, manual: "7.3.3"},
	{name: "fc_http_major", out: KindInt, needs: needClient, one: fetchHTTPMajor, manual: "7.3.3"},
	{name: "fc_rcvd_proxy", out: KindBool, needs: needClient, one: fetchRcvdProxy, manual: "7.3.3"},
	{name: "fc_pp_authority", out: KindStr, needs: needClient, one: fetchProxyAuthority, manual: "7.3.3"},
	{name: "fc_pp_unique_id", out: KindStr, needs: needClient, one: fetchProxyUniqueID, manual: "7.3.3"},
	{name: "fe_name", out: KindStr, needs: needClient, one: fetchFrontendName, manual: "7.3.3"},
	{name: "fe_id", out: KindInt, needs: needClient, one: fetchFrontendID, manual: "7.3.3"},
	{name: "fe_defbe", out: KindStr, needs: needClient, one: fetchDefaultBackend, manual: "7.3.3"},
	{name: "fe_client_timeout", out: KindInt, needs: needClient, one: fetchClientTimeout, manual: "7.3.3"},
	{name: "so_id", out: KindInt, needs: needClient, one: fetchBindID, manual: "7.3.3"},
	{name: "so_name", out: KindStr, needs: needClient, one: fetchBindName, manual: "7.3.3"},
	{name: "be_name", out: KindStr, needs: needBackend, one: fetchBackendName, manual: "7.3.3"},
	{name: "be_id", out: KindInt, needs: needBackend, one: fetchBackendID, manual: "7.3.3"},
	{name: "be_server_timeout", out: KindInt, needs: needBackend, one: fetchServerTimeout, manual: "7.3.3"},
	{name: "be_tunnel_timeout", out: KindInt, needs: needBackend, one: fetchTunnelTimeout, manual: "7.3.3"},
	{name: "srv_name", out: KindStr, needs: needServer, one: fetchServerName, manual: "7.3.3"},
	{name: "srv_id", out: KindInt, needs: needServer, one: fetchServerID, manual: "7.3.3"},

	// layer 5
	{name: "ssl_fc", out: KindBool, needs: needClient, one: fetchTLS, manual: "7.3.4"},
	{name: "ssl_fc_sni", out: KindStr, needs: needSession, one: fetchTLSSNI, manual: "7.3.4"},
	{name: "ssl_fc_protocol", out: KindStr, needs: needSession, one: fetchTLSVersion, manual: "7.3.4"},
	{name: "ssl_fc_cipher", out: KindStr, needs: needSession, one: fetchTLSCipher, manual: "7.3.4"},
	{name: "ssl_fc_alpn", out: KindStr, needs: needSession, one: fetchTLSALPN, manual: "7.3.4"},
	{name: "ssl_fc_is_resumed", out: KindBool, needs: needSession, one: fetchTLSResumed, manual: "7.3.4"},
	{name: "ssl_fc_has_crt", out: KindBool, needs: needSession, one: fetchTLSHasCert, manual: "7.3.4"},
	{name: "ssl_fc_err", out: KindInt, needs: needSession, one: fetchTLSErr, manual: "7.3.4"},
	{name: "ssl_c_used", out: KindBool, needs: needSession, one: fetchTLSUsedCert, manual: "7.3.4"},
	{name: "ssl_c_err", out: KindInt, needs: needSession, one: fetchTLSCertErr, manual: "7.3.4"},
	{name: "ssl_c_ca_err", out: KindInt, needs: needSession, one: fetchTLSCertCA, manual: "7.3.4"},

	{name: "ssl_fc_has_sni", out: KindBool, needs: needSession, one: fetchTLSHasSNI, manual: "7.3.4"},
	{name: "ssl_fc_has_early", out: KindBool, needs: needSession, one: fetchTLSEarly, manual: "7.3.4"},
	{name: "ssl_fc_npn", out: KindStr, needs: needSession, one: fetchTLSNPN, manual: "7.3.4"},
	{name: "ssl_fc_alg_keysize", out: KindInt, needs: needSession, one: fetchTLSKeySize, manual: "7.3.4"},
	{name: "ssl_fc_use_keysize", out: KindInt, needs: needSession, one: fetchTLSKeySize, manual: "7.3.4"},
	{name: "ssl_c_verify", out: KindInt, needs: needSession, one: fetchTLSVerify, manual: "7.3.4"},
	{name: "ssl_c_der", out: KindBin, needs: needSession, one: ofClient(certDER), manual: "7.3.4"},
	{name: "ssl_c_i_dn", args: "[str] [int] [str]", out: KindStr, needs: needSession, one: ofClient(certIssuer), check: checkName, manual: "7.3.4"},
	{name: "ssl_c_key_alg", out: KindStr, needs: needSession, one: ofClient(certKeyAlg), manual: "7.3.4"},
	{name: "ssl_c_notafter", out: KindStr, needs: needSession, one: ofClient(certNotAfter), manual: "7.3.4"},
	{name: "ssl_c_notbefore", out: KindStr, needs: needSession, one: ofClient(certNotBefore), manual: "7.3.4"},
	{name: "ssl_c_s_dn", args: "[str] [int] [str]", out: KindStr, needs: needSession, one: ofClient(certSubject), check: checkName, manual: "7.3.4"},
	{name: "ssl_c_serial", out: KindBin, needs: needSession, one: ofClient(certSerial), manual: "7.3.4"},
	{name: "ssl_c_sha1", out: KindBin, needs: needSession, one: ofClient(certSHA1), manual: "7.3.4"},
	{name: "ssl_c_sig_alg", out: KindStr, needs: needSession, one: ofClient(certSigAlg), manual: "7.3.4"},
	{name: "ssl_c_version", out: KindInt, needs: needSession, one: ofClient(certVersion), manual: "7.3.4"},
	{name: "ssl_f_der", out: KindBin, needs: needSession, one: ofShown(certDER), manual: "7.3.4"},
	{name: "ssl_f_i_dn", args: "[str] [int] [str]", out: KindStr, needs: needSession, one: ofShown(certIssuer), check: checkName, manual: "7.3.4"},
	{name: "ssl_f_key_alg", out: KindStr, needs: needSession, one: ofShown(certKeyAlg), manual: "7.3.4"},
	{name: "ssl_f_notafter", out: KindStr, needs: needSession, one: ofShown(certNotAfter), manual: "7.3.4"},
	{name: "ssl_f_notbefore", out: KindStr, needs: needSession, one: ofShown(certNotBefore), manual: "7.3.4"},
	{name: "ssl_f_s_dn", args: "[str] [int] [str]", out: KindStr, needs: needSession, one: ofShown(certSubject), check: checkName, manual: "7.3.4"},
	{name: "ssl_f_serial", out: KindBin, needs: needSession, one: ofShown(certSerial), manual: "7.3.4"},
	{name: "ssl_f_sha1", out: KindBin, needs: needSession, one: ofShown(certSHA1), manual: "7.3.4"},
	{name: "ssl_f_sig_alg", out: KindStr, needs: needSession, one: ofShown(certSigAlg), manual: "7.3.4"},
	{name: "ssl_f_version", out: KindInt, needs: needSession, one: ofShown(certVersion), manual: "7.3.4"},

	// layer 6
	{name: "req.len", out: KindInt, needs: needReqBytes, one: fetchReqLen, manual: "7.3.5"},
	{name: "req.payload", args: "int int", out: KindBin, needs: needReqBytes, one: fetchReqPayload, check: checkPayload, manual: "7.3.5"},
	{name: "req.proto_http", out: KindBool, needs: needReqBytes, one: fetchIsHTTP, manual: "7.3.5"},
	{name: "req.ssl_alpn", out: KindStr, needs: needReqBytes, one: fetchHelloALPN, manual: "7.3.5"},
	{name: "req.ssl_ec_ext", out: KindBool, needs: needReqBytes, one: fetchHelloGroups, manual: "7.3.5"},
	{name: "req.ssl_hello_type", out: KindInt, needs: needReqBytes, one: fetchHelloType, manual: "7.3.5"},
	{name: "req.ssl_sni", out: KindStr, needs: needReqBytes, one: fetchHelloSNI, manual: "7.3.5"},
	{name: "req.ssl_st_ext", out: KindInt, needs: needReqBytes, one: fetchHelloTicket, manual: "7.3.5"},
	{name: "req.ssl_ver", out: KindInt, needs: needReqBytes, one: fetchHelloVersion, dotted: true, manual: "7.3.5"},
	{name: "res.len", out: KindInt, needs: needResBytes, one: fetchResLen, manual: "7.3.5"},
	{name: "res.ssl_hello_type", out: KindInt, needs: needResBytes, one: fetchServerHelloType, manual: "7.3.5"},
	{name: "wait_end", out: KindBool, one: fetchWaitEnd, manual: "7.3.5"},

	// layer 7: the request line
	{name: "base", out: KindStr, needs: needReqHead, one: fetchBase, manual: "7.3.6"},
	{name: "base32", out: KindInt, needs: needReqHead, one: fetchBase32, manual: "7.3.6"},
	{name: "base32+src", out: KindBin, needs: needReqHead, one: fetchBase32Src, manual: "7.3.6"},
	{name: "baseq", out: KindStr, needs: needReqHead, one: fetchBaseQ, manual: "7.3.6"},
	{name: "http_first_req", out: KindBool, needs: needClient, one: fetchFirstRequest, manual: "7.3.6"},
	{name: "method", out: KindMethod, needs: needReqLine, one: fetchMethod, manual: "7.3.6"},
	{name: "path", out: KindStr, needs: needReqHead, one: fetchPath, manual: "7.3.6"},
	{name: "pathq", out: KindStr, needs: needReqHead, one: fetchPathQ, manual: "7.3.6"},
	{name: "query", out: KindStr, needs: needReqHead, one: fetchQuery, manual: "7.3.6"},
	{name: "req.ver", out: KindStr, needs: needReqHead, one: fetchReqVer, manual: "7.3.6"},
	{name: "unique-id", out: KindStr, needs: needReqLine, one: fetchUniqueID, manual: "7.3.6"},
	{name: "url", out: KindStr, needs: needReqHead, one: fetchURL, manual: "7.3.6"},
	{name: "url32", out: KindInt, needs: needReqHead, one: fetchURL32, manual: "7.3.6"},
	{name: "url32+src", out: KindBin, needs: needReqHead, one: fetchURL32Src, manual: "7.3.6"},
	{name: "url_ip", out: KindIP, needs: needReqHead, one: fetchURLIP, manual: "7.3.6"},
	{name: "url_port", out: KindInt, needs: needReqHead, one: fetchURLPort, manual: "7.3.6"},
	{name: "url_param", args: "[str] [str]", out: KindStr, needs: needReqHead, all: fetchURLParam, manual: "7.3.6"},
	{name: "urlp_val", args: "[str] [str]", out: KindInt, needs: needReqHead, all: fetchURLParamVal, manual: "7.3.6"},

	// layer 7: header fields and bodies
	{name: "hdr", args: "[str] [int]", out: KindStr, needs: needReqHead, all: fetchReqHdr, check: checkHeader, inResponse: "res.hdr", manual: "7.3.6"},
	{name: "req.hdr", args: "[str] [int]", out: KindStr, needs: needReqHead, all: fetchReqHdr, check: checkHeader, manual: "7.3.6"},
	{name: "req.hdr_cnt", args: "[str]", out: KindInt, needs: needReqHead, one: fetchReqHdrCnt, check: checkHeader, manual: "7.3.6"},
	{name: "req.hdr_ip", args: "[str] [int]", out: KindIP, needs: needReqHead, all: fetchReqHdrIP, check: checkHeader, manual: "7.3.6"},
	{name: "req.hdr_val", args: "[str] [int]", out: KindInt, needs: needReqHead, all: fetchReqHdrVal, check: checkHeader, manual: "7.3.6"},
	{name: "req.hdr_names", args: "[str]", out: KindStr, needs: needReqHead, one: fetchReqHdrNames, manual: "7.3.6"},
	{name: "req.hdrs", out: KindStr, needs: needReqHead, one: fetchReqHdrs, manual: "7.3.6"},
	{name: "req.fhdr", args: "[str] [int]", out: KindStr, needs: needReqHead, all: fetchReqFhdr, check: checkHeader, manual: "7.3.6"},
	{name: "req.fhdr_cnt", args: "[str]", out: KindInt, needs: needReqHead, one: fetchReqFhdrCnt, check: checkHeader, manual: "7.3.6"},
	{name: "res.hdr", args: "[str] [int]", out: KindStr, needs: needResHead, all: fetchResHdr, check: checkHeader, manual: "7.3.6"},
	{name: "res.hdr_cnt", args: "[str]", out: KindInt, needs: needResHead, one: fetchResHdrCnt, check: checkHeader, manual: "7.3.6"},
	{name: "res.hdr_ip", args: "[str] [int]", out: KindIP, needs: needResHead, all: fetchResHdrIP, check: checkHeader, manual: "7.3.6"},
	{name: "res.hdr_val", args: "[str] [int]", out: KindInt, needs: needResHead, all: fetchResHdrVal, check: checkHeader, manual: "7.3.6"},
	{name: "res.hdr_names", args: "[str]", out: KindStr, needs: needResHead, one: fetchResHdrNames, manual: "7.3.6"},
	{name: "res.hdrs", out: KindStr, needs: needResHead, one: fetchResHdrs, manual: "7.3.6"},
	{name: "res.fhdr", args: "[str] [int]", out: KindStr, needs: needResHead, all: fetchResFhdr, check: checkHeader, manual: "7.3.6"},
	{name: "res.fhdr_cnt", args: "[str]", out: KindInt, needs: needResHead, one: fetchResFhdrCnt, check: checkHeader, manual: "7.3.6"},
	{name: "res.ver", out: KindStr, needs: needResHead, one: fetchResVer, manual: "7.3.6"},
	{name: "status", out: KindInt, needs: needStatus, one: fetchStatus, manual: "7.3.6"},
	{name: "cookie", args: "[str]", out: KindStr, needs: needReqHead, all: fetchReqCook, inResponse: "res.cook", manual: "7.3.6"},
	{name: "req.cook", args: "[str]", out: KindStr, needs: needReqHead, all: fetchReqCook, manual: "7.3.6"},
	{name: "req.cook_cnt", args: "[str]", out: KindInt, needs: needReqHead, one: fetchReqCookCnt, manual: "7.3.6"},
	{name: "req.cook_val", args: "[str]", out: KindInt, needs: needReqHead, all: fetchReqCookVal, manual: "7.3.6"},
	{name: "res.cook", args: "[str]", out: KindStr, needs: needResHead, all: fetchResCook, manual: "7.3.6"},
	{name: "res.cook_cnt", args: "[str]", out: KindInt, needs: needResHead, one: fetchResCookCnt, manual: "7.3.6"},
	{name: "res.cook_val", args: "[str]", out: KindInt, needs: needResHead, all: fetchResCookVal, manual: "7.3.6"},
	{name: "req.body", out: KindBin, needs: needReqBody, one: fetchBody, manual: "7.3.6"},
	{name: "req.body_len", out: KindInt, needs: needReqBody, one: fetchBodyLen, manual: "7.3.6"},
	{name: "req.body_size", out: KindInt, needs: needReqBody, one: fetchBodySize, manual: "7.3.6"},
	{name: "req.body_param", args: "[str]", out: KindStr, needs: needReqBody, all: fetchBodyParam, manual: "7.3.6"},

	// what is kept until the log
	{name: "capture.req.hdr", args: "int", out: KindStr, needs: needCapture, one: fetchReqCapture, manual: "7.3.6"},
	{name: "capture.res.hdr", args: "int", out: KindStr, needs: needCapture, one: fetchResCapture, manual: "7.3.6"},
	{name: "capture.req.method", out: KindStr, needs: needCapture, one: fetchCapturedMethod, manual: "7.3.6"},
	{name: "capture.req.uri", out: KindStr, needs: needCapture, one: fetchCapturedURI, manual: "7.3.6"},
	{name: "capture.req.ver", out: KindStr, needs: needCapture, one: fetchCapturedVer, manual: "7.3.6"},
	{name: "capture.res.ver", out: KindStr, needs: needCapture, one: fetchCapturedResVer, manual: "7.3.6"},
}

// fetchAliases gives the present name of old ones.
var fetchAliases = [][2]string{
	{"cook", "req.cook"}, {"cook_cnt", "req.cook_cnt"}, {"cook_val", "req.cook_val"},
	{"hdr_cnt", "req.hdr_cnt"}, {"hdr_ip", "req.hdr_ip"}, {"hdr_val", "req.hdr_val"},
	{"req_len", "req.len"}, {"req_proto_http", "req.proto_http"}, {"req_ver", "req.ver"},
	{"req_ssl_hello_type", "req.ssl_hello_type"}, {"req_ssl_sni", "req.ssl_sni"}, {"req_ssl_ver", "req.ssl_ver"},
	{"rep_ssl_hello_type", "res.ssl_hello_type"}, {"res_len", "res.len"}, {"resp_ver", "res.ver"}, {"urlp", "url_param"},
	{"scook", "res.cook"}, {"scook_cnt", "res.cook_cnt"}, {"scook_val", "res.cook_val"}, {"set-cookie", "res.cook"},
	{"shdr", "res.hdr"}, {"shdr_cnt", "res.hdr_cnt"}, {"shdr_ip", "res.hdr_ip"}, {"shdr_val", "res.hdr_val"},
}

// laterFetches are fetches of the manual that weir does not have yet; a word that
// ends in a star stands for all that begin like it.
var laterFetches = strings.Fields(`
	acl bc_* bs.* check.* cpu_* cur_* distcc_* fc_* fe_* fix_* fs.* hdr_* http_auth* internal.* last_* lat_*
	mqtt.* payload payload_lv prio_* quic_* rdp_cookie* req.* req_* res.* res_* sc_* sc0_* sc1_* sc2_*
	server_timeout src_* srv_* ssl_* table_* txn.*
`)

// findFetch finds the row of a fetch.
func findFetch(name string) (*fetchRow, error) {
	for _, a := range fetchAliases {
		if a[0] == name {
			name = a[1]
		}
	}
	for i := range fetchTable {
		if fetchTable[i].name == name {
			return &fetchTable[i], nil
		}
	}
	if named(laterFetches, name) {
		return nil, fmt.Errorf("fetch %q is not supported yet", name)
	}
	return nil, fmt.Errorf("there is no fetch %q%s", name, didYouMean(name, fetchNames()))
}

func fetchNames() []string {
	var names []string
	for i := range fetchTable {
		names = append(names, fetchTable[i].name)
	}
	for _, a := range fetchAliases {
		names = append(names, a[0])
	}
	return names
}

// named reports whether name is in a list whose words may end in a star.
func named(list []string, name string) bool {
	for _, w := range list {
		if prefix, ok := strings.CutSuffix(w, "*"); ok && strings.HasPrefix(name, prefix) || w == name {
			return true
		}
	}
	return false
}

// didYouMean gives "; did you mean X?" for the name nearest to a wrong one.
func didYouMean(wrong string, names []string) string {
	best, found := min(3, max(1, len(wrong)/3)+1), ""
	for _, n := range names {
		if d := editDistance(wrong, n, best); d < best {
			best, found = d, n
		}
	}
	if found == "" {
		return ""
	}
	return "; did you mean " + found + "?"
}

// editDistance counts the letters to change, add or drop to make b of a; it
// gives limit when there are at least that many.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return min(row[len(b)], limit)
}
