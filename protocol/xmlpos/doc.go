// Package xmlpos speaks XML_POS, the dialect in which Oracle's interface server IFC8 wants to hear a point of sale
// (spec/fias.md 10.1): one attribute-only XML element a frame, no namespace, a fixed schema, answers matched by number.
//
//	> <LinkDescription Date="260821" Time="190405" VerNum="1.0" />
//	< <LinkAlive Date="260821" Time="190405" />
//	> <PostInquiry InquiryInformation="217" MaximumReturnedMatches="16" SequenceNumber="1" RequestType="4" ... />
//	< <PostList SequenceNumber="1" ...><PostListItem RoomNumber="217" ReservationId="24331" LastName="Doe" ... /></PostList>
//	> <PostRequest RoomNumber="217" ReservationId="24331" ... SequenceNumber="2" TotalAmount="1000" ... />
//	< <PostAnswer AnswerStatus="OK" SequenceNumber="2" ... />
//
// Both roles are here. An element is a value with a file of its own; a Dialect turns it into bytes and back. Link is the
// vendor's session over a connection of package ifc: it describes itself, keeps the line alive and brings each answer to
// the exchange that waits for it, or to Config.Late.
//
// # Strict and lenient
//
// What is sent is held to the schema of section 10.1 first: Element.Check names every fault. What is taken may deviate as
// the servers and clients of section 10.1 do: names in another case (CreditLimitOverride has two spellings in the field),
// NoPost as 0, 1, Y or N, numbers that are empty, padded or missing, dates of other lengths, attributes and elements that
// nobody knows (attributes are kept in Extra), an XML declaration, a bare ampersand in a name, bytes of another charset.
//
// # No tricks
//
// This is no general XML parser. A document type declaration is refused, so that there are no entities but the five of
// XML and numbers; nothing is ever fetched or expanded. Elements, attributes, items and depth are bounded.
package xmlpos
