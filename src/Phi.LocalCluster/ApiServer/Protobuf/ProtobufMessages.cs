namespace Phi.LocalCluster.ApiServer.Protobuf;

/// <summary>
/// Field numbers of the messages that kubectl sends in protobuf: those of the commands that create built-in objects or evict pods. From
/// the generated.proto files of k8s.io/api and k8s.io/apimachinery.
/// </summary>
/// <remarks>
/// A field is <c>number name type</c>; the type is s (string), b (bytes), i (integer), f (bool) or a message, with <c>[]</c> for a list
/// and <c>{}</c> for a map from strings. An IntOrString of 0 counts as none, unless its type ends with <c>?</c>: then it is written only where it is set.
/// </remarks>
internal static class ProtobufMessages
{
    private static readonly Dictionary<string, IReadOnlyDictionary<int, (string Name, string Type)>> Messages = new(StringComparer.Ordinal)
    {
        ["ObjectMeta"] = Fields("1 name s, 2 generateName s, 3 namespace s, 5 uid s, 6 resourceVersion s, 7 generation i, 8 creationTimestamp Time, 9 deletionTimestamp Time, 10 deletionGracePeriodSeconds i, 11 labels s{}, 12 annotations s{}, 13 ownerReferences OwnerReference[], 14 finalizers s[]"),
        ["OwnerReference"] = Fields("1 kind s, 3 name s, 4 uid s, 5 apiVersion s, 6 controller f, 7 blockOwnerDeletion f"),
        ["Namespace"] = Fields("1 metadata ObjectMeta, 2 spec NamespaceSpec"),
        ["NamespaceSpec"] = Fields("1 finalizers s[]"),
        ["ConfigMap"] = Fields("1 metadata ObjectMeta, 2 data s{}, 3 binaryData b{}, 4 immutable f"),
        ["Secret"] = Fields("1 metadata ObjectMeta, 2 data b{}, 3 type s, 4 stringData s{}, 5 immutable f"),
        ["ServiceAccount"] = Fields("1 metadata ObjectMeta, 2 secrets ObjectReference[], 4 automountServiceAccountToken f"),
        ["ObjectReference"] = Fields("1 kind s, 2 namespace s, 3 name s, 4 uid s, 5 apiVersion s, 6 resourceVersion s, 7 fieldPath s"),
        ["Service"] = Fields("1 metadata ObjectMeta, 2 spec ServiceSpec"),
        ["ServiceSpec"] = Fields("1 ports ServicePort[], 2 selector s{}, 3 clusterIP s, 4 type s, 7 sessionAffinity s, 10 externalName s, 13 publishNotReadyAddresses f"),
        ["ServicePort"] = Fields("1 name s, 2 protocol s, 3 port i, 4 targetPort IntOrString, 5 nodePort i"),
        ["PriorityClass"] = Fields("1 metadata ObjectMeta, 2 value i, 3 globalDefault f, 4 description s, 5 preemptionPolicy s"),
        ["Eviction"] = Fields("1 metadata ObjectMeta, 2 deleteOptions DeleteOptions"),
        ["DeleteOptions"] = Fields("1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents f, 4 propagationPolicy s, 5 dryRun s[]"),
        ["Preconditions"] = Fields("1 uid s, 2 resourceVersion s"),
        ["Binding"] = Fields("1 metadata ObjectMeta, 2 target ObjectReference"),
        ["PodDisruptionBudget"] = Fields("1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec"),
        ["PodDisruptionBudgetSpec"] = Fields("1 minAvailable IntOrString?, 2 selector LabelSelector, 3 maxUnavailable IntOrString?, 4 unhealthyPodEvictionPolicy s"),
        ["LabelSelector"] = Fields("1 matchLabels s{}, 2 matchExpressions LabelSelectorRequirement[]"),
        ["LabelSelectorRequirement"] = Fields("1 key s, 2 operator s, 3 values s[]"),
        ["PolicyRule"] = Fields("1 verbs s[], 2 apiGroups s[], 3 resources s[], 4 resourceNames s[], 5 nonResourceURLs s[]"),
        ["Role"] = Fields("1 metadata ObjectMeta, 2 rules PolicyRule[]"),
        ["ClusterRole"] = Fields("1 metadata ObjectMeta, 2 rules PolicyRule[], 3 aggregationRule AggregationRule"),
        ["AggregationRule"] = Fields("1 clusterRoleSelectors LabelSelector[]"),
        ["Subject"] = Fields("1 kind s, 2 apiGroup s, 3 name s, 4 namespace s"),
        ["RoleRef"] = Fields("1 apiGroup s, 2 kind s, 3 name s"),
        ["RoleBinding"] = Fields("1 metadata ObjectMeta, 2 subjects Subject[], 3 roleRef RoleRef"),
        ["ClusterRoleBinding"] = Fields("1 metadata ObjectMeta, 2 subjects Subject[], 3 roleRef RoleRef"),
        ["TokenRequest"] = Fields("1 metadata ObjectMeta, 2 spec TokenRequestSpec"),
        ["TokenRequestSpec"] = Fields("1 audiences s[], 3 boundObjectRef BoundObjectReference, 4 expirationSeconds i"),
        ["BoundObjectReference"] = Fields("1 kind s, 2 apiVersion s, 3 name s, 4 uid s"),
        ["TokenReview"] = Fields("1 metadata ObjectMeta, 2 spec TokenReviewSpec"),
        ["TokenReviewSpec"] = Fields("1 token s, 2 audiences s[]"),
        ["ResourceAttributes"] = Fields("1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s"),
        ["NonResourceAttributes"] = Fields("1 path s, 2 verb s"),
        ["SelfSubjectAccessReview"] = Fields("1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec"),
        ["SelfSubjectAccessReviewSpec"] = Fields("1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes"),
        ["SubjectAccessReview"] = Fields("1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec"),
        ["LocalSubjectAccessReview"] = Fields("1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec"),
        ["SubjectAccessReviewSpec"] = Fields("1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes, 3 user s, 4 groups s[], 6 uid s"),
        ["SelfSubjectRulesReview"] = Fields("1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec"),
        ["SelfSubjectRulesReviewSpec"] = Fields("1 namespace s"),
        ["SelfSubjectReview"] = Fields("1 metadata ObjectMeta"),
        ["Event"] = Fields("1 metadata ObjectMeta, 2 involvedObject ObjectReference, 3 reason s, 4 message s, 5 source EventSource, 6 firstTimestamp Time, 7 lastTimestamp Time, 8 count i, 9 type s, 12 action s, 14 reportingComponent s, 15 reportingInstance s"),
        ["EventSource"] = Fields("1 component s, 2 host s"),
    };

    public static IReadOnlyDictionary<int, (string Name, string Type)>? Find(string message) => Messages.GetValueOrDefault(message);

    private static Dictionary<int, (string Name, string Type)> Fields(string text) =>
        text.Split(", ").Select(field => field.Split(' ')).ToDictionary(parts => int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts => (parts[1], parts[2]));
}
