import ArgumentParser
import Hummingbird
import HummingbirdTLS
import Yams
