// Tells the story that each SDK tells as far as it can, or what an ordinary service sends:
//
//	sdk-recording story|ordinary
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	tell, isKnown := map[string]func(context.Context){"story": tellStory, "ordinary": beOrdinary}[os.Args[len(os.Args)-1]]
	if !isKnown {
		fmt.Fprintf(os.Stderr, "Cannot tell %q: say story or ordinary\n", os.Args[1:])
		os.Exit(1)
	}
	tell(context.Background())
}

// stopOn is for programs whose only answer to an error is to stop.
func stopOn(err error) {
	if err != nil {
		panic(err)
	}
}

func must[Value any](value Value, err error) Value {
	stopOn(err)
	return value
}
