package expr

import (
	"fmt"
	"strings"
)

// A converterRow is one converter: all that there is to say about it.
type converterRow struct {
	name   string
	args   string // types of arguments, see argKinds
	in     Kind   // what the value is cast to; KindAny: it stays as it is
	out    Kind   // KindAny: the kind that came in
	needs  need
	apply  func(env *Env, in Value, a []Arg) (Value, bool)
	check  func(a []Arg) error // of arguments, beyond their types
	manual string              // section of configuration.txt
}

// converterTable lists all converters.
var converterTable = []converterRow{
	// numbers
	{name: "add", args: "ivar", in: KindInt, out: KindInt, apply: convAdd, manual: "7.3.1"},
	{name: "and", args: "ivar", in: KindInt, out: KindInt, apply: convAnd, manual: "7.3.1"},
	{name: "bool", in: KindInt, out: KindBool, apply: convBool, manual: "7.3.1"},
	{name: "cpl", in: KindInt, out: KindInt, apply: convCpl, manual: "7.3.1"},
	{name: "div", args: "ivar", in: KindInt, out: KindInt, apply: convDiv, manual: "7.3.1"},
	{name: "even", in: KindInt, out: KindBool, apply: convEven, manual: "7.3.1"},
	{name: "htonl", in: KindInt, out: KindBin, apply: convHtonl, manual: "7.3.1"},
	{name: "mod", args: "ivar", in: KindInt, out: KindInt, apply: convMod, manual: "7.3.1"},
	{name: "mul", args: "ivar", in: KindInt, out: KindInt, apply: convMul, manual: "7.3.1"},
	{name: "neg", in: KindInt, out: KindInt, apply: convNeg, manual: "7.3.1"},
	{name: "not", in: KindInt, out: KindBool, apply: convNot, manual: "7.3.1"},
	{name: "odd", in: KindInt, out: KindBool, apply: convOdd, manual: "7.3.1"},
	{name: "or", args: "ivar", in: KindInt, out: KindInt, apply: convOr, manual: "7.3.1"},
	{name: "sub", args: "ivar", in: KindInt, out: KindInt, apply: convSub, manual: "7.3.1"},
	{name: "xor", args: "ivar", in: KindInt, out: KindInt, apply: convXor, manual: "7.3.1"},

	// text
	{name: "add_item", args: "str [str] [str]", in: KindStr, out: KindStr, apply: convAddItem, check: checkAddItem, manual: "7.3.1"},
	{name: "bytes", args: "int [int]", in: KindBin, out: KindBin, apply: convBytes, manual: "7.3.1"},
	{name: "concat", args: "[str] [str] [str]", in: KindStr, out: KindStr, apply: convConcat, check: checkConcat, manual: "7.3.1"},
	{name: "cut_crlf", in: KindStr, out: KindStr, apply: convCutCRLF, manual: "7.3.1"},
	{name: "field", args: "int str [int]", in: KindStr, out: KindStr, apply: convField, check: checkWord, manual: "7.3.1"},
	{name: "host_only", in: KindStr, out: KindStr, apply: convHostOnly, manual: "7.3.1"},
	{name: "iif", args: "str str", in: KindBool, out: KindStr, apply: convIif, manual: "7.3.1"},
	{name: "length", in: KindStr, out: KindInt, apply: convLength, manual: "7.3.1"},
	{name: "lower", in: KindStr, out: KindStr, apply: convLower, manual: "7.3.1"},
	{name: "ltrim", args: "[str]", in: KindStr, out: KindStr, apply: convLtrim, manual: "7.3.1"},
	{name: "port_only", in: KindStr, out: KindInt, apply: convPortOnly, manual: "7.3.1"},
	{name: "regsub", args: "str str [str]", in: KindStr, out: KindStr, apply: convRegsub, check: checkRegsub, manual: "7.3.1"},
	{name: "rtrim", args: "[str]", in: KindStr, out: KindStr, apply: convRtrim, manual: "7.3.1"},
	{name: "secure_memcmp", args: "var", in: KindBin, out: KindBool, needs: needVars, apply: convMemcmp, manual: "7.3.1"},
	{name: "strcmp", args: "var", in: KindStr, out: KindInt, needs: needVars, apply: convStrcmp, manual: "7.3.1"},
	{name: "upper", in: KindStr, out: KindStr, apply: convUpper, manual: "7.3.1"},
	{name: "word", args: "int str [int]", in: KindStr, out: KindStr, apply: convWord, check: checkWord, manual: "7.3.1"},

	// encodings
	{name: "b64dec", in: KindStr, out: KindBin, apply: convB64dec, manual: "7.3.1"},
	{name: "base64", in: KindBin, out: KindStr, apply: convBase64, manual: "7.3.1"},
	{name: "be2dec", args: "str int [int]", in: KindBin, out: KindStr, apply: convBe2dec, check: checkBe2dec, manual: "7.3.1"},
	{name: "be2hex", args: "[str] [int] [int]", in: KindBin, out: KindStr, apply: convBe2hex, check: checkBe2hex, manual: "7.3.1"},
	{name: "hex", in: KindBin, out: KindStr, apply: convHex, manual: "7.3.1"},
	{name: "hex2i", in: KindStr, out: KindInt, apply: convHex2i, manual: "7.3.1"},
	{name: "ub64dec", in: KindStr, out: KindBin, apply: convUB64dec, manual: "7.3.1"},
	{name: "ub64enc", in: KindBin, out: KindStr, apply: convUB64enc, manual: "7.3.1"},
	{name: "url_dec", args: "[int]", in: KindStr, out: KindStr, apply: convURLDec, manual: "7.3.1"},
	{name: "url_enc", args: "[str]", in: KindStr, out: KindStr, apply: convURLEnc, check: checkURLEnc, manual: "7.3.1"},

	// hashes
	{name: "crc32", args: "[int]", in: KindBin, out: KindInt, apply: convCRC32, manual: "7.3.1"},
	{name: "crc32c", args: "[int]", in: KindBin, out: KindInt, apply: convCRC32C, manual: "7.3.1"},
	{name: "djb2", args: "[int]", in: KindBin, out: KindInt, apply: convDJB2, manual: "7.3.1"},
	{name: "sdbm", args: "[int]", in: KindBin, out: KindInt, apply: convSDBM, manual: "7.3.1"},
	{name: "sha1", in: KindBin, out: KindBin, apply: convSHA1, manual: "7.3.1"},
	{name: "sha2", args: "[int]", in: KindBin, out: KindBin, apply: convSHA2, check: checkSHA2, manual: "7.3.1"},
	{name: "xxh32", args: "[int]", in: KindBin, out: KindInt, apply: convXXH32, manual: "7.3.1"},
	{name: "xxh64", args: "[int]", in: KindBin, out: KindInt, apply: convXXH64, manual: "7.3.1"},

	// addresses and dates
	{name: "ipmask", args: "mask4 [mask6]", in: KindIP, out: KindIP, apply: convIPMask, manual: "7.3.1"},
	{name: "http_date", args: "[int] [str]", in: KindInt, out: KindStr, apply: convHTTPDate, check: checkHTTPDate, manual: "7.3.1"},
	{name: "ltime", args: "str [int]", in: KindInt, out: KindStr, apply: convLtime, check: checkTimeFormat, manual: "7.3.1"},
	{name: "utime", args: "str [int]", in: KindInt, out: KindStr, apply: convUtime, check: checkTimeFormat, manual: "7.3.1"},

	// state, variables, captures
	{name: "capture-req", args: "int", in: KindStr, out: KindStr, needs: needCapture, apply: convCaptureReq, manual: "7.3.1"},
	{name: "capture-res", args: "int", in: KindStr, out: KindStr, needs: needCapture, apply: convCaptureRes, manual: "7.3.1"},
	{name: "nbsrv", in: KindStr, out: KindInt, needs: needLoad, apply: convUsable, manual: "7.3.1"},
	{name: "set-var", args: "var [str] [str] [str] [str]", in: KindAny, out: KindAny, apply: convSetVar, check: checkSetVar, manual: "7.3.1"},
	{name: "srv_queue", in: KindStr, out: KindInt, needs: needLoad, apply: convServerQueue, manual: "7.3.1"},
	{name: "unset-var", args: "var", in: KindAny, out: KindAny, apply: convUnsetVar, manual: "7.3.1"},
}

// laterConverters are converters of the manual that weir does not have yet.
var laterConverters = strings.Fields(`
	51d.* aes_* da-csv-conv debug digest fix_* hmac in_table json json_query jwt_* language
	map map_* mqtt_* param protobuf rfc7239_* sign table_* ungrpc us_* ms_* ltrim_* when wt6 x509_* xxh3 lua.*
`)

// findConverter finds the row of a converter.
func findConverter(name string) (*converterRow, error) {
	for i := range converterTable {
		if converterTable[i].name == name {
			return &converterTable[i], nil
		}
	}
	if named(laterConverters, name) {
		return nil, fmt.Errorf("converter %q is not supported yet", name)
	}
	var names []string
	for i := range converterTable {
		names = append(names, converterTable[i].name)
	}
	return nil, fmt.Errorf("there is no converter %q%s", name, didYouMean(name, names))
}
