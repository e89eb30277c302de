package xmlpos

import "testing"

func TestMasked(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`<PostInquiry InquiryInformation="217" SequenceNumber="1" />`, `<PostInquiry InquiryInformation="217" SequenceNumber="1" />`},
		{`<PostInquiry InquiryInformation="Doe" SequenceNumber="1" />`, `<PostInquiry InquiryInformation="***" SequenceNumber="1" />`},
		{`<PostInquiry InquiryInformation="4200278100012345"/>`, `<PostInquiry InquiryInformation="***" />`},
		{`<?xml version="1.0"?><PostList SequenceNumber='1'><!-- Doe > --><PostListItem RoomNumber="2&amp;7" lastname="Doe" FirstName="" Title="Dr" Reference1="x" Foo="Doe"/>Doe<![CDATA[Doe]]></PostList>`,
			`<PostList SequenceNumber="1"><PostListItem RoomNumber="2&amp;7" lastname="***" FirstName="" Title="***" Reference1="***" Foo="***" /></PostList>`},
		{`<PostRequest LastName="Doe" Subtotal16="5" Tax1="1" TotalAmount="6"/>`, `<PostRequest LastName="***" Subtotal16="5" Tax1="1" TotalAmount="6" />`},
		{`<Guest LastName="Doe"/>`, `<Guest LastName="***" />`},
		{`GI|RN217|GNDoe|`, `(15 bytes that are no element)`},
		{`<PostList LastName="Doe`, `(23 bytes that are no element)`},
	} {
		if got := string(AppendMasked([]byte("> "), []byte(tt.in))); got != "> "+tt.want {
			t.Errorf("AppendMasked(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
	if got := string(AppendMasked(nil, make([]byte, MaxElement+1))); got != "(65537 bytes)" {
		t.Errorf("AppendMasked of too much = %s", got)
	}
}
