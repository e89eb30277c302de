package firmwareconfig

import "strings"

// A Currency is an ISO 4217 currency.
type Currency struct {
	Code     string // EUR
	Exponent int    // digits after the point: an amount counts 10^-Exponent units
}

// String is the code.
func (c Currency) String() string { return c.Code }

// ISO 4217 list one of January 2026, the currencies people pay in (no metals, no test and accounting units), by the
// number of digits after the point.
const (
	currencies2 = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF " +
		"CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR " +
		"ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN " +
		"MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS " +
		"SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
	currencies0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
	currencies3 = "BHD IQD JOD KWD LYD OMR TND"
)

// LookupCurrency returns the currency with that code; ok is false when ISO 4217 knows none that people pay in.
func LookupCurrency(code string) (c Currency, ok bool) {
	if len(code) != 3 || strings.Contains(code, " ") {
		return Currency{}, false
	}
	for exponent, list := range [...]string{currencies0, "", currencies2, currencies3} {
		if strings.Contains(list, code) && strings.Contains(" "+list+" ", " "+code+" ") {
			return Currency{code, exponent}, true
		}
	}
	return Currency{}, false
}
