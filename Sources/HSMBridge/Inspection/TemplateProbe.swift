import Token

/// Makes and destroys a token object of each template of provisioning. Session objects are no evidence: NSS takes
/// attributes for those that it refuses for token objects.
struct TemplateProbe {
    private let label: String
    /// The kind of key that seals here.
    private let rootLock: KeyKind
    private let open: @Sendable () throws(HSMError) -> Session

    /// - Parameter rootLock: What the token was found to seal with; nil if that is not known.
    init(label: String, rootLock: KeyKind?, _ open: @escaping @Sendable () throws(HSMError) -> Session) {
        self.label = label
        self.rootLock = rootLock ?? .aes256Seal
        self.open = open
    }

    func report() throws(HSMError) -> [TemplateReport] {
        var reports: [TemplateReport] = []
        var kinds: [KeyKind] = []
        for kind in KeyRole.allCases.flatMap(kinds(of:)) where !kinds.contains(kind) { kinds.append(kind) }
        for kind in kinds {
            let template = KeyTemplate.key(kind, id: SystemRandom.bytes(16), label: label)
            let roles = KeyRole.allCases.filter { self.kinds(of: $0).contains(kind) }.map(\.rawValue)
            reports.append(
                try report(kind.rawValue, roles, template) { (template, session) throws(HSMError) in
                    try Provisioner.make(kind, template, session)
                })
        }
        reports.append(
            try report("data", [], .keptValue([1], label: label)) { (template, session) throws(HSMError) in
                MadeKey(handle: try session.create(template), publicKey: nil)
            })
        return reports
    }

    /// Of the kinds that seal only the one that would be taken.
    private func kinds(of role: KeyRole) -> [KeyKind] { role.seals ? [rootLock] : role.kinds }

    private func report(
        _ name: String, _ roles: [String], _ template: KeyTemplate,
        _ make: (KeyTemplate, borrowing Session) throws(HSMError) -> MadeKey
    ) throws(HSMError) -> TemplateReport {
        let session = try open()
        var report = TemplateReport(name: name, roles: roles, outcome: .ok, detail: nil, attributes: [])
        do throws(HSMError) {
            let made = try Provisioner.patiently { () throws(HSMError) in try make(template, session) }
            defer { made.destroy(session) }
            report.attributes = try TemplateTrial.kept(template, by: made.handle, session)
            let isUnproven = !TemplateTrial.unproven(report.attributes).isEmpty
            if isUnproven || report.attributes.contains(where: \.outcome.isWeaker) { report.outcome = .failed }
            return report
        } catch {
            guard !error.isLostSession else { throw error }
            report.detail = error.cause.map { "\($0)" } ?? error.message
            let fresh = try open()
            guard let refused = try refusals(template, fresh, make) else {
                report.outcome = error.code == .mechanismUnsupported ? .absent : .failed
                return report
            }
            report.outcome = .failed
            report.attributes = try attributes(template, refused, fresh, make)
            return report
        }
    }

    /// Nil, too, if a trial ends in an answer that is no refusal on a token that is still there: p11-kit's server answers
    /// so to every unwrap template.
    private func refusals(
        _ template: KeyTemplate, _ session: borrowing Session,
        _ make: (KeyTemplate, borrowing Session) throws(HSMError) -> MadeKey
    ) throws(HSMError) -> [AttributeType]? {
        do throws(HSMError) {
            return try TemplateTrial.refused(template, session, make)
        } catch {
            guard !error.isLostSession, (try? session.isLoggedIn()) == true else { throw error }
            return nil
        }
    }

    /// What becomes of the others on an object without those that are refused.
    private func attributes(
        _ template: KeyTemplate, _ refused: [AttributeType], _ session: borrowing Session,
        _ make: (KeyTemplate, borrowing Session) throws(HSMError) -> MadeKey
    ) throws(HSMError) -> [TemplateReport.Attribute] {
        let rest = template.without(refused)
        let made = try Provisioner.patiently { () throws(HSMError) in try make(rest, session) }
        defer { made.destroy(session) }
        let kept = try TemplateTrial.kept(rest, by: made.handle, session)
        return template.attributes.compactMap { attribute in
            refused.contains(attribute.type)
                ? .init(name: attribute.type.name, outcome: .refused, detail: nil)
                : kept.first { $0.name == attribute.type.name }
        }
    }
}
