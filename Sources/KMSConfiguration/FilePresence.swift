import CDispatch
import CoreFoundation
import Glibc

/// Whether a name exists in the file system, symbolic links not followed.
package enum FilePresence {
    package static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }
}
