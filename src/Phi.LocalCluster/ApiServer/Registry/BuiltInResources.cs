using k8s.Models;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Printing;
using Phi.LocalCluster.ApiServer.Schemas;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>The kinds that this server serves without a definition.</summary>
internal static class BuiltInResources
{
    public static ClrSchemas Schemas { get; } = new();

    public static ResourceType Namespaces { get; } = Create<V1Namespace>("", "v1", "namespaces", namespaced: false, status: true, shortNames: ["ns"]);

    public static ResourceType Pods { get; } = Create<V1Pod>("", "v1", "pods", status: true, shortNames: ["po"], categories: ["all"]);

    public static ResourceType Nodes { get; } = Create<V1Node>("", "v1", "nodes", namespaced: false, status: true, shortNames: ["no"]);

    public static ResourceType Events { get; } = Create<Corev1Event>("", "v1", "events", kind: "Event", shortNames: ["ev"]);

    public static ResourceType Services { get; } = Create<V1Service>("", "v1", "services", status: true, shortNames: ["svc"], categories: ["all"]);

    public static ResourceType ConfigMaps { get; } = Create<V1ConfigMap>("", "v1", "configmaps", shortNames: ["cm"]);

    public static ResourceType Secrets { get; } = Create<V1Secret>("", "v1", "secrets");

    public static ResourceType PriorityClasses { get; } = Create<V1PriorityClass>("scheduling.k8s.io", "v1", "priorityclasses", namespaced: false, generation: true, shortNames: ["pc"]);

    public static ResourceType PodDisruptionBudgets { get; } = Create<V1PodDisruptionBudget>("policy", "v1", "poddisruptionbudgets", status: true, generation: true, shortNames: ["pdb"]);

    public static ResourceType ServiceAccounts { get; } = Create<V1ServiceAccount>("", "v1", "serviceaccounts", shortNames: ["sa"]);

    public static ResourceType Roles { get; } = Create<V1Role>(Rbac.Group, "v1", "roles");

    public static ResourceType RoleBindings { get; } = Create<V1RoleBinding>(Rbac.Group, "v1", "rolebindings");

    public static ResourceType ClusterRoles { get; } = Create<V1ClusterRole>(Rbac.Group, "v1", "clusterroles", namespaced: false);

    public static ResourceType ClusterRoleBindings { get; } = Create<V1ClusterRoleBinding>(Rbac.Group, "v1", "clusterrolebindings", namespaced: false);

    public static ResourceType Definitions { get; } = Create<V1CustomResourceDefinition>(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced: false, status: true, generation: true, shortNames: ["crd", "crds"], categories: ["api-extensions"]);

    public static ResourceType Deployments { get; } = Create<V1Deployment>("apps", "v1", "deployments", status: true, generation: true, shortNames: ["deploy"], categories: ["all"]);

    public static ResourceType StatefulSets { get; } = Create<V1StatefulSet>("apps", "v1", "statefulsets", status: true, generation: true, shortNames: ["sts"], categories: ["all"]);

    public static ResourceType Jobs { get; } = Create<V1Job>("batch", "v1", "jobs", status: true, generation: true, categories: ["all"]);

    public static ResourceType NetworkPolicies { get; } = Create<V1NetworkPolicy>("networking.k8s.io", "v1", "networkpolicies", generation: true, shortNames: ["netpol"]);

    public static ResourceType Ingresses { get; } = Create<V1Ingress>("networking.k8s.io", "v1", "ingresses", status: true, generation: true, shortNames: ["ing"]);

    public static IReadOnlyList<ResourceType> All { get; } =
    [
        Namespaces,
        Pods,
        Nodes,
        Events,
        Services,
        Secrets,
        ConfigMaps,
        ServiceAccounts,
        Create<Eventsv1Event>("events.k8s.io", "v1", "events", kind: "Event", shortNames: ["ev"]),
        Create<V1Lease>("coordination.k8s.io", "v1", "leases"),
        PriorityClasses,
        PodDisruptionBudgets,
        Deployments,
        StatefulSets,
        Jobs,
        NetworkPolicies,
        Ingresses,
        Roles,
        RoleBindings,
        ClusterRoles,
        ClusterRoleBindings,
        Review<V1TokenReview>("authentication.k8s.io", "tokenreviews"),
        Review<V1SelfSubjectReview>("authentication.k8s.io", "selfsubjectreviews"),
        Review<V1SubjectAccessReview>("authorization.k8s.io", "subjectaccessreviews"),
        Review<V1SelfSubjectAccessReview>("authorization.k8s.io", "selfsubjectaccessreviews"),
        Review<V1LocalSubjectAccessReview>("authorization.k8s.io", "localsubjectaccessreviews", namespaced: true),
        Review<V1SelfSubjectRulesReview>("authorization.k8s.io", "selfsubjectrulesreviews"),
        Definitions,
    ];

    private static ResourceType Review<T>(string group, string plural, bool namespaced = false) => Create<T>(group, "v1", plural, namespaced) with { IsReview = true };

    private static ResourceType Create<T>(
        string group,
        string version,
        string plural,
        bool namespaced = true,
        bool status = false,
        bool generation = false,
        string? kind = null,
        string[]? shortNames = null,
        string[]? categories = null)
    {
        kind ??= typeof(T).Name[version.Length..];
        var openApi = Schemas.Of(typeof(T));
        return new ResourceType
        {
            Group = group,
            Version = version,
            Plural = plural,
            Singular = kind.ToLowerInvariant(),
            Kind = kind,
            Namespaced = namespaced,
            HasStatus = status,
            HasGeneration = generation,
            ShortNames = shortNames ?? [],
            Categories = categories ?? [],
            OpenApi = openApi,
            Schema = Schema.Parse(openApi, Resolve),
            Columns = BuiltInColumns.Of(group, plural),
        };
    }

    private static Schema Resolve(string reference) => Schema.Parse(Schemas.Components[reference[ClrSchemas.Prefix.Length..]], Resolve);
}
