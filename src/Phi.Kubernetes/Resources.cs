using k8s.Models;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;

namespace Phi.Kubernetes;

/// <summary>The resources that this product works with.</summary>
public static class Resources
{
    public static ResourceClient<TrainingJob> TrainingJobs(this KubernetesConnection connection) => new(connection, PhiNames.Group, PhiNames.Version, "trainingjobs");

    public static ResourceClient<CronTrainingJob> CronTrainingJobs(this KubernetesConnection connection) => new(connection, PhiNames.Group, PhiNames.Version, "crontrainingjobs");

    public static ResourceClient<TrainingQueue> TrainingQueues(this KubernetesConnection connection) => new(connection, PhiNames.Group, PhiNames.Version, "trainingqueues");

    public static ResourceClient<V1PriorityClass> PriorityClasses(this KubernetesConnection connection) => new(connection, "scheduling.k8s.io", "v1", "priorityclasses");

    public static ResourceClient<V1Pod> Pods(this KubernetesConnection connection) => new(connection, "", "v1", "pods");

    public static ResourceClient<V1Node> Nodes(this KubernetesConnection connection) => new(connection, "", "v1", "nodes");

    public static ResourceClient<V1Service> Services(this KubernetesConnection connection) => new(connection, "", "v1", "services");

    public static ResourceClient<V1Secret> Secrets(this KubernetesConnection connection) => new(connection, "", "v1", "secrets");

    public static ResourceClient<V1ConfigMap> ConfigMaps(this KubernetesConnection connection) => new(connection, "", "v1", "configmaps");

    public static ResourceClient<Corev1Event> Events(this KubernetesConnection connection) => new(connection, "", "v1", "events");

    public static ResourceClient<V1Lease> Leases(this KubernetesConnection connection) => new(connection, "coordination.k8s.io", "v1", "leases");
}
