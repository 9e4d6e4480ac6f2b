/// Where a value lies in the text.
package enum JSONValue: Equatable {
    /// No such member.
    case absent
    case null
    case bool(Bool)
    case number(Range<Int>)
    case string(JSONString)
    case array(Range<Int>, onlyStrings: Bool)
    case object(Range<Int>)
}
