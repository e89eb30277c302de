package escpos_test

import (
	"fmt"

	"aboyeur/protocol/escpos"
)

func Example() {
	p, _ := escpos.ProfileFor("generic-58mm")
	e := escpos.NewEncoder(p, "fr")
	e.Reset(escpos.AppendInit(nil, p, "fr"))
	e.Align(escpos.AlignCentre)
	e.Set(escpos.Style{Bold: true, Width: 2, Height: 2})
	e.Line("TABLE 12")
	e.Plain()
	e.Align(escpos.AlignLeft)
	e.Columns("Reçue 19:04", "Pour 19:45")
	e.Rule('-')
	e.Wrap("2 x ", "    ", "Œufs mimosa, crème de cèpes et mouillettes")
	e.Set(escpos.Style{Alert: true})
	e.Line(" ALLERGIE: œufs ")
	job := escpos.AppendCut(e.Finish(), p)

	fmt.Print(escpos.Render(job, p).Text())
	// Output:
	// 2x2 |        TABLE 12
	//     |Reçue 19:04           Pour 19:45
	//     |--------------------------------
	//     |2 x Œufs mimosa, crème de cèpes
	//     |    et mouillettes
	//    !| ALLERGIE: œufs
	//     - - - - - - - 8< - - - - - - -
}

func ExampleReplies() {
	var r escpos.Replies
	for _, read := range []string{"\x14\x00", "\x00\x0f\x37\x22 ", " !0\x00\x16"} { // as the cable happens to deliver
		for _, reply := range r.Feed(nil, []byte(read)) {
			switch reply.Kind {
			case escpos.ReplyASB:
				fmt.Printf("%v: %+v\n", reply.Kind, reply.Status().Reason() == "")
			case escpos.ReplyProcessID:
				fmt.Printf("%v: %q\n", reply.Kind, reply.Token)
			default:
				fmt.Printf("%v: %#x\n", reply.Kind, reply.Byte)
			}
		}
	}
	// Output:
	// ASB: true
	// process id: "  !0"
	// real-time status: 0x16
}
