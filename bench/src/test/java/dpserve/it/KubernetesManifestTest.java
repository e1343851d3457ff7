package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dpserve.controller.process.DataParallelControllerMain;
import dpserve.detokenizer.process.DetokenizerMain;
import dpserve.io.TopologyArgs;
import dpserve.scheduler.process.SchedulerMain;
import dpserve.tokenizer.process.TokenizerManagerMain;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The manifest says what Kubernetes and the processes understand, and its parts fit together. It was never run on a cluster. */
class KubernetesManifestTest {
    private static final Path ROOT = Script.repository();
    private static final Path FOLDER = ROOT.resolve("deploy/kubernetes");
    private static final Path MANIFEST = FOLDER.resolve("dpserve.yaml");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\(([A-Z_]+)\\)");
    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "Service", Service.class,
            "Deployment", Deployment.class,
            "StatefulSet", StatefulSet.class,
            "NetworkPolicy", NetworkPolicy.class);

    /** What a cluster puts in the place of a variable. */
    private static final Map<String, String> VARIABLES = Map.of("DP_RANK", "3", "POD_IP", "10.1.2.3");

    /** The model keeps unknown fields for later; here they are errors. */
    private static final ObjectMapper STRICT = new ObjectMapper(new YAMLFactory())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1L;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });

    private static List<HasMetadata> read(String yaml) throws IOException {
        List<HasMetadata> objects = new ArrayList<>();
        try (var documents = STRICT.readerFor(JsonNode.class).<JsonNode>readValues(yaml)) {
            while (documents.hasNext()) {
                JsonNode document = documents.next();
                Class<? extends HasMetadata> kind =
                        KINDS.get(document.get("kind").asText());
                assertThat(kind).as(document.get("kind").asText()).isNotNull();
                objects.add(STRICT.treeToValue(document, kind));
            }
        }
        return objects;
    }

    private static List<HasMetadata> manifest() throws IOException {
        return read(Files.readString(MANIFEST));
    }

    private static Map<String, PodTemplateSpec> pods() throws IOException {
        Map<String, PodTemplateSpec> pods = new TreeMap<>();
        for (HasMetadata object : manifest()) {
            if (object instanceof Deployment d) {
                pods.put(d.getMetadata().getName(), d.getSpec().getTemplate());
                assertSelected(d.getSpec().getSelector(), d.getSpec().getTemplate());
            } else if (object instanceof StatefulSet s) {
                pods.put(s.getMetadata().getName(), s.getSpec().getTemplate());
                assertSelected(s.getSpec().getSelector(), s.getSpec().getTemplate());
            }
        }
        assertThat(pods).containsOnlyKeys("tokenizer", "controller", "detokenizer", "scheduler");
        return pods;
    }

    private static void assertSelected(LabelSelector selector, PodTemplateSpec pod) {
        assertThat(pod.getMetadata().getLabels()).containsAllEntriesOf(selector.getMatchLabels());
    }

    private static Container container(PodTemplateSpec pod) {
        assertThat(pod.getSpec().getContainers()).hasSize(1);
        return pod.getSpec().getContainers().get(0);
    }

    private static Object command(String role) {
        return switch (role) {
            case "tokenizer" -> new TokenizerManagerMain();
            case "controller" -> new DataParallelControllerMain();
            case "scheduler" -> new SchedulerMain();
            case "detokenizer" -> new DetokenizerMain();
            default -> throw new AssertionError("start.sh knows no " + role);
        };
    }

    /** What the process makes of its flags. */
    private static CommandLine.ParseResult parsed(Container container) {
        List<String> flags = new ArrayList<>();
        for (String arg : container.getArgs()) {
            flags.add(VARIABLE.matcher(arg).replaceAll(m -> Matcher.quoteReplacement(VARIABLES.get(m.group(1)))));
        }
        return new CommandLine(command(flags.remove(0)))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(flags.toArray(String[]::new));
    }

    private static <T> T value(CommandLine.ParseResult parsed, String flag) {
        return parsed.matchedOption(flag).getValue();
    }

    @Test
    void shouldFailOnWhatKubernetesDoesNotKnow() throws IOException {
        String yaml = Files.readString(MANIFEST);
        assertThat(read(yaml)).hasSize(7);
        for (String field :
                List.of("periodSeconds", "terminationGracePeriodSeconds", "podManagementPolicy", "podSelector")) {
            assertThatThrownBy(() -> read(yaml.replace(field + ":", field + "x:")))
                    .as(field)
                    .isInstanceOf(UnrecognizedPropertyException.class);
        }
    }

    @Test
    void shouldGiveEachProcessFlagsThatItTakes() throws IOException {
        for (Map.Entry<String, PodTemplateSpec> pod : pods().entrySet()) {
            Container container = container(pod.getValue());
            assertThat(container.getArgs().get(0)).isEqualTo(pod.getKey());
            assertThat(parsed(container).matchedOptions()).as(pod.getKey()).isNotEmpty();
        }
    }

    @Test
    void shouldTellAllProcessesTheSameTopology() throws IOException {
        Map<String, Object> topologies = new LinkedHashMap<>();
        for (Map.Entry<String, PodTemplateSpec> pod : pods().entrySet()) {
            TopologyArgs args = topology(parsed(container(pod.getValue())));
            topologies.put(pod.getKey(), List.of(args.endpoints(), args.dpSize, args.curveKeys));
        }
        assertThat(new HashSet<>(topologies.values())).as("%s", topologies).hasSize(1);
        StatefulSet ranks = (StatefulSet) manifest().stream()
                .filter(StatefulSet.class::isInstance)
                .findFirst()
                .orElseThrow();
        int dpSize = value(parsed(container(ranks.getSpec().getTemplate())), "--dp-size");
        assertThat(ranks.getSpec().getReplicas()).isEqualTo(dpSize);
    }

    private static TopologyArgs topology(CommandLine.ParseResult parsed) {
        return parsed.commandSpec().mixins().values().stream()
                .map(CommandLine.Model.CommandSpec::userObject)
                .filter(TopologyArgs.class::isInstance)
                .map(TopologyArgs.class::cast)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldListenWhereTheOthersLook() throws IOException {
        Set<String> listening = new HashSet<>();
        Set<String> named = new HashSet<>();
        for (PodTemplateSpec pod : pods().values()) {
            for (ContainerPort port : container(pod).getPorts()) {
                named.add(port.getName());
                listening.add("tcp://" + pod.getSpec().getHostname() + "."
                        + pod.getSpec().getSubdomain() + ":" + port.getContainerPort());
            }
        }
        var endpoints = topology(parsed(container(pods().get("scheduler")))).endpoints();
        assertThat(listening)
                .containsAll(endpoints.tokenizerPull())
                .containsAll(endpoints.tokenizerPush())
                .containsAll(endpoints.detokenizer())
                .contains(endpoints.controller());
        for (HasMetadata object : manifest()) {
            if (object instanceof Service service) {
                assertThat(service.getSpec().getPorts().stream()
                                .map(ServicePort::getTargetPort)
                                .map(target -> target.getStrVal()))
                        .allMatch(named::contains);
            }
        }
    }

    @Test
    void shouldProbePortsThatThereAre() throws IOException {
        for (PodTemplateSpec pod : pods().values()) {
            Container container = container(pod);
            List<String> ports =
                    container.getPorts().stream().map(ContainerPort::getName).toList();
            Stream.of(container.getLivenessProbe(), container.getReadinessProbe())
                    .filter(probe -> probe != null)
                    .forEach(probe -> assertThat(ports).contains(port(probe)));
        }
        assertThat(container(pods().get("tokenizer"))
                        .getReadinessProbe()
                        .getHttpGet()
                        .getPath())
                .isEqualTo("/health");
    }

    private static String port(Probe probe) {
        return (probe.getHttpGet() == null
                        ? probe.getTcpSocket().getPort()
                        : probe.getHttpGet().getPort())
                .getStrVal();
    }

    @Test
    void shouldGiveTimeToDrain() throws IOException {
        Container tokenizer = container(pods().get("tokenizer"));
        List<String> wait = tokenizer.getLifecycle().getPreStop().getExec().getCommand();
        int drainS = value(parsed(tokenizer), "--drain-timeout-s");
        assertThat(pods().get("tokenizer").getSpec().getTerminationGracePeriodSeconds())
                .isGreaterThan(Integer.parseInt(wait.get(1)) + drainS);
        List<String> drain = container(pods().get("scheduler"))
                .getLifecycle()
                .getPreStop()
                .getExec()
                .getCommand();
        assertThat(ROOT.resolve(drain.get(1).replaceFirst("^/opt/dpserve/", "")))
                .exists();
        assertThat(pods().get("scheduler").getSpec().getTerminationGracePeriodSeconds())
                .isGreaterThan(Long.parseLong(drain.get(drain.size() - 1)));
        // Kubernetes puts no variables into a hook's command.
        assertThat(drain).noneMatch(word -> word.contains("$"));
        assertThat(container(pods().get("scheduler")).getEnv().stream().map(EnvVar::getName))
                .contains("DP_RANK");
    }

    @Test
    void shouldKnowItsVariablesAndMountItsKeys() throws IOException {
        for (PodTemplateSpec pod : pods().values()) {
            Container container = container(pod);
            Set<String> known = new HashSet<>();
            container.getEnv().forEach(e -> known.add(e.getName()));
            container
                    .getArgs()
                    .forEach(arg -> VARIABLE.matcher(arg)
                            .results()
                            .forEach(m -> assertThat(known).contains(m.group(1))));
            var keys = pod.getSpec().getVolumes().get(0);
            assertThat(keys.getSecret().getDefaultMode()).isEqualTo(0440);
            assertThat(container.getVolumeMounts().get(0).getName()).isEqualTo(keys.getName());
            assertThat(Files.readString(FOLDER.resolve("entrypoint.sh")))
                    .contains(container.getVolumeMounts().get(0).getMountPath());
            assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
            assertThat(container.getResources().getLimits()).containsKeys("memory");
        }
    }

    @Test
    void shouldCopyIntoTheImageWhatTheBuildMakes() throws IOException {
        Pattern source = Pattern.compile("/src/(\\S+)");
        for (String line : Files.readAllLines(FOLDER.resolve("Dockerfile"))) {
            if (!line.startsWith("COPY --from=build")) {
                continue;
            }
            source.matcher(line).results().map(m -> m.group(1)).forEach(path -> {
                if (path.contains("/target/")) {
                    assertThat(ROOT.resolve(path.substring(0, path.indexOf("/target/")) + "/pom.xml"))
                            .exists();
                } else {
                    assertThat(ROOT.resolve(path)).exists();
                }
            });
        }
    }
}
