using System.Text.Json;

namespace Phi.LocalCluster.Tests;

/// <summary>Volumes of pods that are processes: what the container sees, and that the machine sees nothing of it.</summary>
public sealed class PodVolumeTests(NodeFixture node) : IClassFixture<NodeFixture>
{
    [Fact]
    public async Task Pod_WithVolumesOfEveryKind_SeesThemWhereItMountsThem()
    {
        var host = Directory.CreateDirectory(Path.Combine(node.Server.Folder, "host folder")).FullName;
        await File.WriteAllTextAsync(Path.Combine(host, "there"), "of the machine\n", TestContext.Current.CancellationToken);
        await node.ApplyAsync("""
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: settings }
            data: { one: "1\n", two: "2\n" }
            binaryData: { three: Mwo= }
            ---
            apiVersion: v1
            kind: Secret
            metadata: { name: hidden }
            stringData: { key: "secret\n" }
            """);
        await node.ApplyAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: volumes, labels: { team: blue } }
            spec:
              restartPolicy: Never
              volumes:
              - { name: settings, configMap: { name: settings } }
              - { name: picked, configMap: { name: settings, items: [{ key: two, path: deep/file, mode: 384 }] } }
              - { name: hidden, secret: { secretName: hidden, defaultMode: 256 } }
              - { name: optional, configMap: { name: nowhere, optional: true } }
              - { name: self, downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }, { path: cpu, resourceFieldRef: { containerName: main, resource: limits.cpu, divisor: 1m } }] } }
              - { name: all, projected: { sources: [{ configMap: { name: settings, items: [{ key: one, path: one }] } }, { secret: { name: hidden } }] } }
              - { name: scratch, emptyDir: {} }
              - { name: memory, emptyDir: { medium: Memory } }
              - { name: host, hostPath: { path: {{JsonSerializer.Serialize(host)}}, type: Directory } }
              containers:
              - name: main
                image: none
                workingDir: /phi-test/scratch
                command: [bash, -c, {{JsonSerializer.Serialize("""
                    cat /etc/phi-test/one /etc/phi-test/three /phi-test/picked/deep/file /phi-test/hidden/key /phi-test/self/labels /phi-test/all/one /phi-test/all/key /etc/phi-test.conf /phi-test/host/there
                    cat /phi-test/self/cpu; echo; stat -c %a /phi-test/picked/deep/file /phi-test/hidden/key
                    ls /phi-test/optional; pwd; echo x > /phi-test/memory/file && stat -f -c %T /phi-test/memory
                    (echo x > /phi-test/settings-denied) 2>/dev/null && echo private; (echo x > /etc/phi-test/one) 2>/dev/null || echo read-only
                    (echo x > /phi-test/host/denied) 2>/dev/null || echo host read-only; echo through > "$OUT"; grep -c root: /etc/passwd
                    """)}}]
                env: [{ name: OUT, value: {{JsonSerializer.Serialize(Path.Combine(host, "written"))}} }, { name: with.dot, value: kept }]
                resources: { limits: { cpu: 250m } }
                volumeMounts:
                - { name: settings, mountPath: /etc/phi-test }
                - { name: picked, mountPath: /phi-test/picked }
                - { name: hidden, mountPath: /phi-test/hidden }
                - { name: optional, mountPath: /phi-test/optional }
                - { name: self, mountPath: /phi-test/self }
                - { name: all, mountPath: /phi-test/all }
                - { name: scratch, mountPath: /phi-test/scratch }
                - { name: memory, mountPath: /phi-test/memory }
                - { name: host, mountPath: /phi-test/host, readOnly: true }
                - { name: settings, mountPath: /etc/phi-test.conf, subPath: two }
            """);

        var ended = await node.WaitAsync("volumes", "jsonpath={.status.phase}=Succeeded");

        await NodeFixture.UntilAsync(() => Task.FromResult(!Directory.Exists($"/dev/shm/phi-pod-{ended["metadata"]!["uid"]}")));
        Assert.Equal(
            "1\n3\n2\nsecret\nteam=\"blue\"\n1\nsecret\n2\nof the machine\n250\n600\n400\n/phi-test/scratch\ntmpfs\nprivate\nread-only\nhost read-only\n1\n",
            await node.LogAsync("volumes"));
        Assert.Equal("through\n", await File.ReadAllTextAsync(Path.Combine(host, "written"), TestContext.Current.CancellationToken));
        Assert.False(Path.Exists("/phi-test") || Path.Exists("/etc/phi-test") || Path.Exists("/etc/phi-test.conf"), "the machine's file system was changed");
    }

    [Fact]
    public async Task Pod_WithAVolume_IsASessionOfItsOwnThatHearsSigterm()
    {
        var file = Path.Combine(node.Server.Folder, "session");
        await node.ApplyAsync(Pod("session", $"trap 'read -r -a stat < /proc/self/stat; echo ${{stat[0]}} ${{stat[5]}} > \"{file}\"; exit 0' TERM; echo ready; while :; do sleep 0.05; done", "emptyDir: {}"));
        await NodeFixture.UntilAsync(async () => await node.LogAsync("session") == "ready\n");

        await node.Server.KubectlAsync("", "delete", "pod", "session");

        var ids = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(ids[0], ids[1]);
    }

    [Fact]
    public async Task Pod_WhoseConfigMapComesLater_StartsThen()
    {
        await node.ApplyAsync(Pod("early", "cat /phi-test/volume/key", "configMap: { name: late }"));
        await node.WaitAsync("early", "jsonpath={.status.containerStatuses[0].state.waiting.message}=configmap \"late\" not found");

        await node.Server.KubectlAsync("", "create", "configmap", "late", "--from-literal=key=came");

        await node.WaitAsync("early", "jsonpath={.status.phase}=Succeeded");
        Assert.Equal("came\n", await node.LogAsync("early"));
    }

    [Fact]
    public async Task Pod_WithAVolumeThatItFindsByAVariable_HasItsFolderThereAndNoMount()
    {
        await node.ApplyAsync(Pod("told", "echo kept > \"$TOLD/file\" && cat \"$TOLD/file\"; test -e /phi-test || echo unmounted", "emptyDir: {}").Replace("name: volume,", "name: told,", StringComparison.Ordinal).Replace("image: none", "image: none\n    env: [{ name: TOLD, value: /phi-test/volume }]", StringComparison.Ordinal));

        await node.WaitAsync("told", "jsonpath={.status.phase}=Succeeded");

        Assert.Equal("kept\nunmounted\n", await node.LogAsync("told"));
    }

    [Theory]
    [InlineData("claim", "persistentVolumeClaim: { claimName: c }", "/phi-test/volume", "has configMap, secret, downwardAPI, projected, emptyDir and hostPath volumes")]
    [InlineData("huge", "emptyDir: { medium: HugePages }", "/phi-test/volume", "emptyDir medium 'HugePages'")]
    [InlineData("hiding", "emptyDir: {}", "/", "would hide the pod's own folder")]
    public async Task Pod_WithAVolumeThatTheNodeHasNot_FailsWithTheReason(string name, string volume, string path, string says)
    {
        await node.ApplyAsync(Pod(name, "true", volume).Replace("/phi-test/volume", path, StringComparison.Ordinal));

        var status = (await node.WaitAsync(name, "jsonpath={.status.phase}=Failed"))["status"]!;

        Assert.Equal("UnsupportedVolume", (string?)status["reason"]);
        Assert.Contains(says, (string?)status["message"], StringComparison.Ordinal);
    }

    private static string Pod(string name, string script, string volume) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: { name: {{name}} }
        spec:
          restartPolicy: Never
          volumes: [{ name: volume, {{volume}} }]
          containers:
          - name: main
            image: none
            command: [bash, -c, {{JsonSerializer.Serialize(script)}}]
            volumeMounts: [{ name: volume, mountPath: /phi-test/volume }]
        """;
}
