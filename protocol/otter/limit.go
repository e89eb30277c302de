package otter

import "aboyeur/protocol/channel/wire"

// Families of calls that share a limit. Each has its own at Otter; those that answer a new order are urgent.
const (
	famCreated      wire.Family = "order-created"
	famError        wire.Family = "callback error"
	famConfirm      wire.Family = "confirm"
	famCancel       wire.Family = "cancel"
	famReady        wire.Family = "ready-to-pickup"
	famFulfill      wire.Family = "fulfill"
	famClose        wire.Family = "close"
	famPrepTime     wire.Family = "prep-time"
	famFeed         wire.Family = "order feed"
	famOrder        wire.Family = "one order"
	famUpsert       wire.Family = "menu upsert"
	famMenus        wire.Family = "menus"
	famJob          wire.Family = "menu job"
	famPublish      wire.Family = "menu publish"
	famTargets      wire.Family = "publish targets"
	famSync         wire.Family = "menu sync"
	famSuspend      wire.Family = "suspend"
	famUnsuspend    wire.Family = "unsuspend"
	famPublished    wire.Family = "publish callback"
	famCurrent      wire.Family = "current menu"
	famHours        wire.Family = "menu hours"
	famAvailability wire.Family = "availability callback"
	famStoreState   wire.Family = "store availability"
	famStoreHours   wire.Family = "store hours"
	famPauseAnswer  wire.Family = "pause callback"
	famPause        wire.Family = "pause"
	famStores       wire.Family = "stores"
	famStoreStatus  wire.Family = "store status"
	famPing         wire.Family = "ping"
	famDelivery     wire.Family = "delivery callback"
)

// limits are Otter's as its specification has them (spec/delivery.md 5.1, 5.5, 6.1); where it has none, what is enough.
func limits() wire.Limits {
	return wire.Limits{
		PerMinute: map[wire.Family]int{
			famCreated: 32, famError: 32, famConfirm: 32, famCancel: 32, famReady: 32, famFulfill: 32, famClose: 32, famPrepTime: 32, famFeed: 16, famOrder: 32,
			famUpsert: 2, famMenus: 8, famJob: 8, famPublish: 2, famTargets: 2, famSync: 2, famSuspend: 16, famUnsuspend: 16, famPublished: 8, famCurrent: 4,
			famHours: 8, famAvailability: 32, famStoreState: 16, famStoreHours: 16, famPauseAnswer: 8, famPause: 2, famStores: 2, famStoreStatus: 2,
		},
		Other: 8, PerSecond: 20, Reserve: 0.25,
	}
}
