package journal_test

const childRole = "ABOYEUR_JOURNAL_TEST_CHILD"

func child(role string) int { return 0 }
