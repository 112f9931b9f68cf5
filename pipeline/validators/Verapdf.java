// Validates PDF files against standards: java Verapdf.java FLAVOUR,FLAVOUR FILE …
// Prints a line for each file and flavour, then one for each broken rule; fields are separated by tabs.
import java.io.FileInputStream;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

public class Verapdf {
    public static void main(String[] arguments) throws Exception {
        java.util.logging.LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        for (String name : arguments[0].split(",")) {
            PDFAFlavour flavour = PDFAFlavour.byFlavourId(name);
            for (int i = 1; i < arguments.length; i++) {
                TreeMap<String, String> broken = new TreeMap<>();
                try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(arguments[i]), flavour)) {
                    var result = Foundries.defaultInstance().createValidator(flavour, false).validate(parser);
                    for (TestAssertion each : result.getTestAssertions()) {
                        if (each.getStatus() != TestAssertion.Status.FAILED) continue;
                        var rule = each.getRuleId();
                        broken.putIfAbsent(rule.getClause() + "-" + rule.getTestNumber(), each.getMessage());
                    }
                    if (!result.isCompliant() && broken.isEmpty()) broken.put("-", "not compliant");
                } catch (Exception error) {
                    broken.put("unreadable", String.valueOf(error.getMessage()));
                }
                System.out.println("validated\t" + name + "\t" + arguments[i]);
                broken.forEach((rule, why) ->
                    System.out.println("fault\t" + name + " " + rule + " " + why.replaceAll("\\s+", " ")));
            }
        }
    }
}
