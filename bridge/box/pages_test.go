package box

func stopBrowser() {}
